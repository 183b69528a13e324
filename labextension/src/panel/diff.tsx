import React from 'react';

import type { IDiffItem, IDiffSection } from '../contract';
import { shown } from '../words';
import { Pending, useAnswer, useSurroundings } from './parts';
import { Heading } from './way';

/** What differs between two versions of a model, or of two. */
export function Diff({ a, b }: { a: string; b: string }): JSX.Element {
  const { trans } = useSurroundings();
  const { answer, failure, again } = useAnswer('diff', { a, b }, null);
  if (!answer) {
    return <Pending failure={failure} onAgain={again} told={trans.__('Comparing…')} />;
  }
  const differing = answer.sections.filter(each => !each.missing && (each.items.some(item => item.kind !== 'same') || each.note));
  const missing = answer.sections.filter(each => each.missing);
  return (
    <article className="jp-nbreg-Detail">
      <Heading>
        {answer.before.ref || answer.before.said}{' '}
        <span role="img" aria-label={trans.__('to')}>
          →
        </span>{' '}
        {answer.after.ref || answer.after.said}
      </Heading>
      {answer.bump_reason && <p className="jp-nbreg-Note">{answer.bump_reason}</p>}
      {differing.length === 0 && <p className="jp-nbreg-quiet">{trans.__('Nothing differs in what was compared.')}</p>}
      {differing.map(each => (
        <Part key={each.name} section={each} />
      ))}
      {missing.length > 0 && (
        <p className="jp-nbreg-quiet">{trans.__('Not compared: %1', missing.map(each => `${each.name} (${each.missing})`).join(', '))}</p>
      )}
    </article>
  );
}

const SIGNS = { changed: '~', added: '+', removed: '−', same: '=' } as const;
const MOST = 100;

function Part({ section }: { section: IDiffSection }): JSX.Element {
  const { trans } = useSurroundings();
  const items = section.items.filter(each => each.kind !== 'same');
  return (
    <section className="jp-nbreg-Part">
      <h3>
        {section.name} {section.note && <span className="jp-nbreg-quiet">{section.note}</span>}
      </h3>
      <ul>
        {items.slice(0, MOST).map(each => (
          <li key={each.name}>
            <span className={`jp-nbreg-Sign jp-nbreg-mod-${each.kind}`} role="img" aria-label={each.kind}>
              {SIGNS[each.kind]}
            </span>
            <code>{each.name}</code> {change(each)}
            {each.note && <span className="jp-nbreg-quiet"> {each.note}</span>}
            {each.lines.length > 0 && <TextLines lines={each.lines} />}
          </li>
        ))}
      </ul>
      {items.length > MOST && <p className="jp-nbreg-quiet">{trans.__('and %1 more', items.length - MOST)}</p>}
    </section>
  );
}

/** Lines of a unified diff, coloured by their sign. */
function TextLines({ lines }: { lines: ReadonlyArray<string> }): JSX.Element {
  const kinds: { [sign: string]: string } = { '+': 'added', '-': 'removed', '@': 'quiet' };
  return (
    <pre>
      {lines.slice(0, 400).map((each, i) => (
        <span key={i} className={`jp-nbreg-mod-${kinds[each[0]] ?? 'same'}`}>
          {each}
          {'\n'}
        </span>
      ))}
    </pre>
  );
}

function change(item: IDiffItem): string {
  const side = (value: unknown): string => (value === null ? '' : Array.isArray(value) ? value.map(each => shown(each)).join(', ') : shown(value));
  const [was, now] = [side(item.before), side(item.after)];
  const told = item.kind === 'added' ? now : item.kind === 'removed' ? was : was === now ? was : `${was || '—'} → ${now || '—'}`;
  const delta = item.delta === null ? '' : ` (${item.delta > 0 ? '+' : ''}${shown(item.delta)})`;
  return told + delta;
}
