import React, { useState } from 'react';

import type { IManifest, IMove, IProtection, IVersionItem } from '../contract';
import { Refusal } from '../service';
import { byNumber, foretold, label, readNumbers, readObject } from '../words';
import { Form, type Act } from './form';
import { GateNames, PassedOver } from './gates';
import { Stage, useSurroundings } from './parts';
import { useMay } from './permitted';

interface IMoves {
  item: IVersionItem;
  moves: ReadonlyArray<IMove>;
  /** The move whose form is open. */
  chosen: string | null;
  onChoose: (chosen: string | null) => void;
  onChanged: () => void;
}

/** What may be done with a version between stages, each foretold before it is done. */
export function Moves({ item, moves, chosen, onChoose, onChanged }: IMoves): JSX.Element {
  const { service, trans } = useSurroundings();
  const key = (move: IMove): string => `${move.kind} ${move.to}`;
  // Of the moves as they are now: after a conflict the form foretells what there is by then.
  const move = moves.find(each => key(each) === chosen);
  const may = useMay();
  const verbs = { promoted: may.change ? trans.__('Promote') : trans.__('Ask for'), retired: trans.__('Retire'), 'rolled-back': trans.__('Roll back') };
  const acting =
    (force: boolean): Act =>
    why => {
      if (!move) {
        return Promise.reject(new Refusal('no-move', trans.__('this can be done no more'), trans.__('look at what is there now'), 409));
      }
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
  const asking: Act = why => service.ask('request', { ...why, ref: byNumber(item), to: move?.to ?? '' });
  // Who may not move it asks that it be promoted.
  const kinds = may.change ? (['promoted', 'rolled-back', 'retired'] as const) : may.look ? (['promoted'] as const) : [];
  const groups = kinds.map(kind => [kind, moves.filter(each => each.kind === kind)] as const);
  return (
    <>
      <div className="jp-nbreg-Moves" role="group" aria-label={trans.__('Move between stages')}>
        {groups
          .filter(([, some]) => some.length > 0)
          .map(([kind, some]) => (
            <div key={kind}>
              <span className="jp-nbreg-quiet">{verbs[kind]}</span>
              <span className="jp-nbreg-Chips">
                {some.map(each => (
                  <button
                    key={key(each)}
                    className="jp-nbreg-Chip"
                    aria-label={`${verbs[kind]}: ${foretold(each, trans)}`}
                    aria-pressed={chosen === key(each)}
                    title={foretold(each, trans)}
                    onClick={() => onChoose(chosen === key(each) ? null : key(each))}
                  >
                    {kind === 'rolled-back' ? trans.__('to %1', label(each)) : <Stage stage={each.to} />}
                  </button>
                ))}
              </span>
            </div>
          ))}
      </div>
      {chosen && (
        <Form
          key={chosen}
          title={move ? verbs[move.kind] : trans.__('Not any more')}
          verb={move ? verbs[move.kind] : trans.__('Gone')}
          told={
            move ? (
              <>
                {foretold(move, trans)
                  .split(' · ')
                  .map(each => (
                    <div key={each}>{each}</div>
                  ))}
                {move.kind === 'promoted' && <GateNames model={item.model} stage={move.to} />}
              </>
            ) : (
              trans.__('It was moved meanwhile; this cannot be done from where it is now.')
            )
          }
          isReady={move !== undefined}
          example={trans.__('ABTestWon')}
          act={may.change ? acting(false) : asking}
          force={
            move && move.kind !== 'rolled-back' && may.change
              ? {
                  codes: ['gate-refused', 'gate-unavailable'],
                  verb: move.kind === 'promoted' ? trans.__('Promote all the same') : trans.__('Retire all the same'),
                  told: refusal => <PassedOver gates={refusal?.gates ?? []} />,
                  act: acting(true)
                }
              : undefined
          }
          onAsk={move?.kind === 'promoted' && may.change ? asking : undefined}
          onConflict={onChanged}
          onCancel={() => onChoose(null)}
          onDone={() => {
            onChoose(null);
            onChanged();
          }}
        />
      )}
    </>
  );
}

interface IOnVersion {
  item: IVersionItem;
  onDone: () => void;
  onCancel: () => void;
}

/** Change what may change of it: description, tags, content, and metrics that were found out later. */
export function Edit({ item, manifest, onDone, onCancel }: IOnVersion & { manifest: IManifest | null }): JSX.Element {
  const { service, trans } = useSurroundings();
  const { version } = item;
  // As it was when somebody began to write: what others change meanwhile is not taken back by it.
  const [was] = useState(() => ({
    description: version.description,
    tags: version.tags.join(', '),
    content: JSON.stringify(version.content ?? manifest?.content ?? {}, null, 2),
    metrics: Object.entries(version.metrics)
      .filter(([name]) => manifest?.metrics[name] === undefined)
      .map(([name, value]) => `${name} = ${value}`)
      .join('\n')
  }));
  const [now, setNow] = useState(was);
  const content = now.content === was.content ? undefined : readObject(now.content);
  const metrics = now.metrics === was.metrics ? undefined : readNumbers(now.metrics);
  // What was not touched is not sent: somebody may have changed it meanwhile.
  const wish = {
    ...(now.description === was.description ? {} : { description: now.description }),
    ...(now.tags === was.tags
      ? {}
      : {
          tags: now.tags
            .split(',')
            .map(each => each.trim())
            .filter(Boolean)
        }),
    ...(content ? { content } : {}),
    ...(metrics && Object.keys(metrics).length > 0 ? { metrics } : {})
  };
  const wrong = [
    ...(content === null ? [trans.__('The content is no JSON object.')] : []),
    ...(metrics === null ? [trans.__('Each metric is a name, = and a number, one a line.')] : [])
  ];
  const set = (name: keyof typeof was) => (event: { target: { value: string } }) => setNow({ ...now, [name]: event.target.value });
  return (
    <Form
      title={trans.__('Edit %1', item.ref)}
      verb={trans.__('Save')}
      isReady={wrong.length === 0 && Object.keys(wish).length > 0}
      act={why => service.ask('update', { ...why, ...wish, ref: byNumber(item) })}
      onDone={onDone}
      onCancel={onCancel}
    >
      <label>
        {trans.__('Description')}
        <textarea className="jp-mod-styled" rows={3} value={now.description} onChange={set('description')} />
      </label>
      <label>
        {trans.__('Tags, with commas between')}
        <input className="jp-mod-styled" value={now.tags} onChange={set('tags')} />
      </label>
      <label>
        {trans.__('Metrics that were found out later, one a line')}
        <textarea
          className="jp-mod-styled jp-nbreg-Code"
          rows={2}
          value={now.metrics}
          placeholder="auc_live = 0.91"
          spellCheck={false}
          onChange={set('metrics')}
        />
      </label>
      <label>
        {trans.__('Content, a JSON object')}
        <textarea className="jp-mod-styled jp-nbreg-Code" rows={4} value={now.content} spellCheck={false} onChange={set('content')} />
      </label>
      {wrong.map(each => (
        <div key={each} role="alert">
          {each}
        </div>
      ))}
    </Form>
  );
}

type Protections = { readonly [alias: string]: IProtection };

/** Point an alias at it. */
export function SetAlias({ item, guarded, onDone, onCancel }: IOnVersion & { guarded: Protections }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [alias, setAlias] = useState('');
  const given = alias.trim();
  const acting =
    (force: boolean): Act =>
    why =>
      service.ask('set-alias', { ...why, ref: byNumber(item), alias: given, force });
  return (
    <Form
      title={trans.__('An alias for %1', label(item.version))}
      verb={trans.__('Set')}
      told={trans.__('If another version has it, it moves to this one.')}
      isReady={given !== ''}
      act={acting(false)}
      force={{
        codes: ['protected-alias'],
        isKnown: Object.hasOwn(guarded, given),
        verb: trans.__('Set all the same'),
        told: () => <Guarded alias={given} by={guarded[given]} />,
        act: acting(true)
      }}
      onDone={onDone}
      onCancel={onCancel}
    >
      <label>
        {trans.__('Alias')}
        <input className="jp-mod-styled" value={alias} placeholder="champion" onChange={event => setAlias(event.target.value)} />
      </label>
    </Form>
  );
}

/** Take an alias away. */
export function DropAlias({
  model,
  alias,
  guarded,
  onDone,
  onCancel
}: Omit<IOnVersion, 'item'> & { model: string; alias: string; guarded: Protections }): JSX.Element {
  const { service, trans } = useSurroundings();
  const acting =
    (force: boolean): Act =>
    why =>
      service.ask('drop-alias', { ...why, model, alias, force });
  return (
    <Form
      title={trans.__('Take the alias %1 away', alias)}
      verb={trans.__('Take away')}
      told={trans.__('Whoever loads %1 is told that there is none.', `${model}@${alias}`)}
      act={acting(false)}
      force={{
        codes: ['protected-alias'],
        isKnown: Object.hasOwn(guarded, alias),
        verb: trans.__('Take away all the same'),
        told: () => <Guarded alias={alias} by={guarded[alias]} />,
        act: acting(true)
      }}
      onDone={onDone}
      onCancel={onCancel}
    />
  );
}

/** That an alias is protected, by whom and why. */
function Guarded({ alias, by }: { alias: string; by: IProtection | undefined }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <div>
      <b>{trans.__('%1 is protected: it moves by force alone.', alias)}</b>
      {by && <div>{[trans.__('by %1', by.by), by.reason].filter(Boolean).join(' · ')}</div>}
    </div>
  );
}

/** Hide it. */
export function Delete({ item, onDone, onCancel }: IOnVersion): JSX.Element {
  const { service, trans } = useSurroundings();
  const acting =
    (force: boolean): Act =>
    why =>
      service.ask('delete', { ...why, ref: byNumber(item), include_protected: force });
  return (
    <Form
      title={trans.__('Delete %1', item.ref)}
      verb={trans.__('Delete')}
      told={trans.__('It is hidden, and can be restored; its number is never used again.')}
      needsReason
      example={trans.__('TrainedOnTest')}
      act={acting(false)}
      force={{
        codes: ['version-in-use'],
        verb: trans.__('Delete all the same'),
        told: refusal => (
          <>
            <b>{trans.__('Somebody may count on it.')}</b>
            <div>{refusal?.message}</div>
          </>
        ),
        act: acting(true)
      }}
      onDone={onDone}
      onCancel={onCancel}
    />
  );
}

/** Bring it back. */
export function Restore({ item, onDone, onCancel }: IOnVersion): JSX.Element {
  const { service, trans } = useSurroundings();
  return (
    <Form
      title={trans.__('Restore %1', item.ref)}
      verb={trans.__('Restore')}
      act={why => service.ask('restore', { ...why, ref: byNumber(item) })}
      onDone={onDone}
      onCancel={onCancel}
    />
  );
}

/** Make it again under another name, or in another model. */
export function Copy({ item, onDone, onCancel }: IOnVersion): JSX.Element {
  const { service, trans } = useSurroundings();
  const [to, setTo] = useState(item.model);
  const [name, setName] = useState('');
  const acting =
    (force: boolean): Act =>
    why =>
      service.ask('copy', { ...why, ref: byNumber(item), to: to.trim(), version: name.trim() || null, force });
  return (
    <Form
      title={trans.__('Copy %1', item.ref)}
      verb={trans.__('Copy')}
      told={trans.__('The same bytes under another name: the copy keeps the id, and begins without stage and aliases.')}
      isReady={to.trim() !== ''}
      act={acting(false)}
      force={{
        codes: ['name-taken'],
        verb: trans.__('Take the name over'),
        told: refusal => (
          <>
            <div>{refusal?.message}</div>
            <div>{trans.__('The version that has the name keeps its number and its bytes, without a name.')}</div>
          </>
        ),
        act: acting(true)
      }}
      onDone={onDone}
      onCancel={onCancel}
    >
      <Goal to={to} name={name} onTo={setTo} onName={setName} named={trans.__('%1-copy', label(item.version))} />
    </Form>
  );
}

/** Move it to another model. */
export function Transfer({ item, onDone, onCancel, onMoved }: IOnVersion & { onMoved: (ref: string) => void }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [to, setTo] = useState('');
  const [name, setName] = useState('');
  return (
    <Form
      title={trans.__('Move %1 to another model', item.ref)}
      verb={trans.__('Move')}
      told={trans.__('It goes from here for good, and gets the next number there. A version that is in a stage, has an alias or is at work stays.')}
      isReady={to.trim() !== '' && to.trim() !== item.model}
      act={async why => {
        const moved = await service.ask('transfer', { ...why, ref: byNumber(item), to: to.trim(), version: name.trim() || null });
        onMoved(byNumber(moved));
      }}
      onDone={onDone}
      onCancel={onCancel}
    >
      <Goal to={to} name={name} onTo={setTo} onName={setName} named={label(item.version)} />
    </Form>
  );
}

interface IGoal {
  to: string;
  name: string;
  named: string;
  onTo: (to: string) => void;
  onName: (name: string) => void;
}

function Goal({ to, name, named, onTo, onName }: IGoal): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <>
      <label>
        {trans.__('Model')}
        <input className="jp-mod-styled" value={to} placeholder="risk/churn" onChange={event => onTo(event.target.value)} />
      </label>
      <label>
        {trans.__('Name, if not %1', named)}
        <input className="jp-mod-styled" value={name} onChange={event => onName(event.target.value)} />
      </label>
    </>
  );
}
