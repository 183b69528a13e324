import React from 'react';

import type { IMove, IVersionItem } from '../contract';
import { Refusal } from '../service';
import { byNumber, foretold, label } from '../words';
import type { IDoing, IDone, OnVersion } from './doing';
import { Form, type Act } from './form';
import { GateNames, PassedOver } from './gates';
import { Stage, useSurroundings } from './parts';
import { useMay } from './permitted';

const KINDS = ['promoted', 'rolled-back', 'retired'] as const;

interface IMoves {
  item: IVersionItem;
  moves: ReadonlyArray<IMove>;
  /** What the page of the version does; a move is one of it. */
  doing: IDoing<OnVersion>;
  onConflict: () => void;
}

/** What may be done with a version between stages, each foretold before it is done. */
export function Moves({ item, moves, doing, onConflict }: IMoves): JSX.Element {
  const { trans } = useSurroundings();
  const verbs = useVerbs();
  const may = useMay();
  // Who may not move it asks that it be promoted.
  const kinds = may.change ? KINDS : may.look ? (['promoted'] as const) : [];
  return (
    <>
      <div className="jp-nbreg-Moves" role="group" aria-label={trans.__('Move between stages')}>
        {kinds
          .map(kind => [kind, moves.filter(each => each.kind === kind)] as const)
          .filter(([, some]) => some.length > 0)
          .map(([kind, some]) => (
            <div key={kind}>
              <span className="jp-nbreg-quiet">{verbs[kind]}</span>
              <span className="jp-nbreg-Chips">
                {some.map(each => (
                  <Chip key={keyOf(each)} move={each} doing={doing} />
                ))}
              </span>
            </div>
          ))}
      </div>
      {doing.what?.startsWith('move ') && (
        // Of the moves as they are now: after a conflict the form foretells what there is by then.
        <MoveForm key={doing.what} item={item} move={moves.find(each => keyOf(each) === doing.what)} onConflict={onConflict} {...doing.form} />
      )}
    </>
  );
}

function Chip({ move, doing }: { move: IMove; doing: IMoves['doing'] }): JSX.Element {
  const { trans } = useSurroundings();
  const isChosen = doing.what === keyOf(move);
  const told = foretold(move, trans);
  return (
    <button
      className="jp-nbreg-Chip"
      aria-label={`${useVerbs()[move.kind]}: ${told}`}
      aria-pressed={isChosen}
      title={told}
      onClick={() => doing.start(isChosen ? null : keyOf(move))}
    >
      {move.kind === 'rolled-back' ? trans.__('to %1', label(move)) : <Stage stage={move.to} />}
    </button>
  );
}

interface IMoveForm extends IDone {
  item: IVersionItem;
  /** Not there any more where somebody moved the version meanwhile. */
  move: IMove | undefined;
  onConflict: () => void;
}

function MoveForm({ item, move, ...done }: IMoveForm): JSX.Element {
  const { service, trans } = useSurroundings();
  const verbs = useVerbs();
  const isTheirs = useMay().change;
  if (!move) {
    return (
      <Form
        title={trans.__('Not any more')}
        verb={trans.__('Gone')}
        told={trans.__('It was moved meanwhile; this cannot be done from where it is now.')}
        isReady={false}
        example={trans.__('ABTestWon')}
        act={() => Promise.reject(new Refusal('no-move', trans.__('this can be done no more'), trans.__('look at what is there now'), 409))}
        {...done}
      />
    );
  }
  const acting =
    (force: boolean): Act =>
    why => {
      const wish = { ...why, expect: move };
      switch (move.kind) {
        case 'promoted':
          return service.ask('promote', { ...wish, ref: byNumber(item), to: move.to, force });
        case 'retired':
          return service.ask('retire', { ...wish, ref: byNumber(item), to: move.to, force });
        default:
          return service.ask('rollback', { ...wish, model: item.model, stage: move.to });
      }
    };
  const asking: Act = why => service.ask('request', { ...why, ref: byNumber(item), to: move.to });
  const force = {
    codes: ['gate-refused', 'gate-unavailable'],
    verb: move.kind === 'promoted' ? trans.__('Promote all the same') : trans.__('Retire all the same'),
    told: (refusal: Refusal | null) => <PassedOver gates={refusal?.gates ?? []} />,
    act: acting(true)
  };
  return (
    <Form
      title={verbs[move.kind]}
      verb={verbs[move.kind]}
      told={
        <>
          <Foretold move={move} />
          {move.kind === 'promoted' && <GateNames model={item.model} stage={move.to} />}
        </>
      }
      example={trans.__('ABTestWon')}
      act={isTheirs ? acting(false) : asking}
      force={isTheirs && move.kind !== 'rolled-back' ? force : undefined}
      onAsk={isTheirs && move.kind === 'promoted' ? asking : undefined}
      {...done}
    />
  );
}

/** What a move would do to the version and to others, one a line. */
export function Foretold({ move }: { move: IMove }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <>
      {foretold(move, trans)
        .split(' · ')
        .map(each => (
          <div key={each}>{each}</div>
        ))}
    </>
  );
}

function useVerbs(): { [kind in IMove['kind']]: string } {
  const { trans } = useSurroundings();
  return { promoted: useMay().change ? trans.__('Promote') : trans.__('Ask for'), retired: trans.__('Retire'), 'rolled-back': trans.__('Roll back') };
}

/** What the page of a version knows a move by. */
function keyOf(move: IMove): `move ${string}` {
  return `move ${move.kind} ${move.to}`;
}
