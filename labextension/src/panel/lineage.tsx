import React, { useState } from 'react';

import type { ILineage, INode } from '../contract';
import { Pending, Rest, useAnswer, useSurroundings } from './parts';
import { Outside, To, webPage, type Place } from './way';

/** Of each side, until somebody wants all of it. */
const MOST = 40;

/** Where a version comes from and what became of it: a list, since a graph cannot be read in so narrow a place. */
export function Lineage({ id, model }: { id: string; model: string }): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure, again } = useAnswer('lineage', { ref: id }, model);
  if (!answer) {
    return <Pending failure={failure} onAgain={again} />;
  }
  const [before, after] = sides(answer);
  return (
    <>
      <Side title={trans.__('made from')} nodes={before} />
      <Side title={trans.__('leads to')} nodes={after} />
      {before.length + after.length === 0 && (
        <p className="jp-nbreg-quiet">{trans.__('Nothing is known of where it comes from, and nothing came of it yet.')}</p>
      )}
    </>
  );
}

/** A node, and by what it belongs to the version. */
type Near = { node: INode; as: string };

/** What led to the version, and what it led to, in the order of the record. */
function sides({ nodes, edges }: ILineage): [Near[], Near[]] {
  const mine = nodes.find(each => each.kind === 'version')?.id;
  const before: Near[] = [];
  const after: Near[] = [];
  for (const node of nodes.filter(each => each.id !== mine)) {
    const led = edges.find(each => each.target === node.id);
    const edge = led ?? edges.find(each => each.source === node.id);
    (led ? after : before).push({ node, as: (edge?.kind ?? node.kind).replaceAll('-', ' ') });
  }
  return [before, after];
}

function Side({ title, nodes }: { title: string; nodes: ReadonlyArray<Near> }): JSX.Element | null {
  const { trans } = useSurroundings();
  const [isWhole, setWhole] = useState(false);
  if (nodes.length === 0) {
    return null;
  }
  const shown = isWhole ? nodes : nodes.slice(0, MOST);
  return (
    <>
      <h3 className="jp-nbreg-Side">{title}</h3>
      <dl className="jp-nbreg-Facts">
        {[...new Set(shown.map(each => each.as))].map(as => (
          <React.Fragment key={as}>
            <dt>{as}</dt>
            {shown
              .filter(each => each.as === as)
              .map(({ node }) => (
                <dd key={node.id}>
                  <Node node={node} />
                  {node.note && <span className="jp-nbreg-quiet"> {node.note}</span>}
                </dd>
              ))}
          </React.Fragment>
        ))}
      </dl>
      {nodes.length > MOST && (
        <Rest isShown={isWhole} onToggle={setWhole}>
          {trans.__('Show %1 more', nodes.length - MOST)}
        </Rest>
      )}
    </>
  );
}

function Node({ node }: { node: INode }): JSX.Element {
  const place = placeOf(node);
  if (place) {
    return <To place={place}>{node.label}</To>;
  }
  return webPage(node.ref) ? <Outside target={node.ref}>{node.label}</Outside> : <span title={node.ref}>{node.label}</span>;
}

function placeOf({ kind, ref }: INode): Place | null {
  switch (kind) {
    case 'version':
    case 'parent':
    case 'child':
    case 'stage':
      return ref.includes('@') ? { kind: 'version', ref } : null;
    case 'run':
      return ref ? { kind: 'run', run: ref } : null;
    case 'data':
      return ref ? { kind: 'data', data: ref } : null;
    default:
      return null;
  }
}
