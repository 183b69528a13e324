import React, { useEffect, useId, useRef, useState } from 'react';

import type { IMove, IVersionItem } from '../contract';
import { Refusal } from '../service';
import { byNumber, foretold, label } from '../words';
import { Failure, Stage, useSurroundings } from './parts';

/** What a person says who changes something. */
export interface IWhy {
  reason: string;
  message: string;
}

/** Do something to a version; the form stays open, with what was typed, while it is refused. */
export type Act = (why: IWhy) => Promise<unknown>;

interface IFormProps {
  title: string;
  verb: string;
  told?: React.ReactNode;
  needsReason?: boolean;
  onDone: () => void;
  onCancel: () => void;
  /** What is to be read anew where somebody was faster. */
  onConflict?: () => void;
  act: Act;
  children?: React.ReactNode;
  isReady?: boolean;
  /** Ask others to agree, where the stage requires what only they can give. */
  onAsk?: (why: IWhy) => Promise<unknown>;
}

/** Ask why, in place, and do it. */
export function Form({ title, verb, told, needsReason = false, onDone, onCancel, onConflict, act, children, isReady = true, onAsk }: IFormProps): JSX.Element {
  const { service, trans } = useSurroundings();
  const [why, setWhy] = useState<IWhy>({ reason: '', message: '' });
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [isBusy, setBusy] = useState(false);
  const first = useRef<HTMLFormElement>(null);
  const id = useId();
  useEffect(() => first.current?.querySelector<HTMLElement>('input, textarea, select')?.focus(), []);
  const attempt = async (what: Act): Promise<void> => {
    setBusy(true);
    setRefusal(null);
    try {
      await what({ reason: why.reason.trim(), message: why.message.trim() });
    } catch (error) {
      const told = Refusal.of(error);
      setRefusal(told);
      setBusy(false);
      if (told.isConflict) {
        onConflict?.();
      }
      return;
    }
    onDone();
    service.refresh().catch(() => undefined); // the next poll tells
  };
  return (
    <form
      ref={first}
      className="jp-nbreg-Form"
      aria-labelledby={`${id}-title`}
      onSubmit={event => {
        event.preventDefault();
        void attempt(act);
      }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onCancel();
        }
      }}
    >
      <div className="jp-nbreg-FormTitle" id={`${id}-title`}>
        {title}
      </div>
      {told && <div className="jp-nbreg-Told">{told}</div>}
      {children}
      <label>
        {needsReason ? trans.__('Reason') : trans.__('Reason, in a word')}
        <input
          className="jp-mod-styled"
          value={why.reason}
          required={needsReason}
          placeholder={trans.__('ABTestWon')}
          onChange={event => setWhy({ ...why, reason: event.target.value })}
        />
      </label>
      <label>
        {trans.__('Message, for people')}
        <input className="jp-mod-styled" value={why.message} onChange={event => setWhy({ ...why, message: event.target.value })} />
      </label>
      {refusal && <Failure refusal={refusal} />}
      <div className="jp-nbreg-Buttons">
        <button type="button" className="jp-mod-styled jp-mod-reject" onClick={onCancel}>
          {trans.__('Cancel')}
        </button>
        {onAsk && refusal && refusal.gates.length > 0 && (
          <button type="button" className="jp-mod-styled" disabled={isBusy} onClick={() => void attempt(onAsk)}>
            {trans.__('Ask for it')}
          </button>
        )}
        <button type="submit" className="jp-mod-styled jp-mod-accept" disabled={isBusy || !isReady}>
          {verb}
        </button>
      </div>
    </form>
  );
}

/** What may be done with a version between stages, each foretold before it is done. */
export function Moves({ item, moves, onChanged }: { item: IVersionItem; moves: ReadonlyArray<IMove>; onChanged: () => void }): JSX.Element {
  const { service, trans } = useSurroundings();
  const [chosen, setChosen] = useState<string | null>(null);
  const key = (move: IMove): string => `${move.kind} ${move.to}`;
  // Of the moves as they are now: after a conflict the form foretells what there is by then.
  const move = moves.find(each => key(each) === chosen);
  const verbs = { promoted: trans.__('Promote'), retired: trans.__('Retire'), 'rolled-back': trans.__('Roll back') };
  const act: Act = why => {
    if (!move) {
      return Promise.reject(new Refusal('no-move', trans.__('this can be done no more'), trans.__('look at what is there now'), 409));
    }
    const wish = { ...why, expect: move };
    switch (move.kind) {
      case 'promoted':
        return service.ask('promote', { ...wish, ref: byNumber(item), to: move.to });
      case 'retired':
        return service.ask('retire', { ...wish, ref: byNumber(item), to: move.to });
      default:
        return service.ask('rollback', { ...wish, model: item.model, stage: move.to });
    }
  };
  const groups = (['promoted', 'rolled-back', 'retired'] as const).map(kind => [kind, moves.filter(each => each.kind === kind)] as const);
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
                    onClick={() => setChosen(chosen === key(each) ? null : key(each))}
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
          told={move ? foretold(move, trans).split(' · ').map(each => <div key={each}>{each}</div>) : trans.__('It was moved meanwhile; this cannot be done from where it is now.')}
          isReady={move !== undefined}
          act={act}
          onAsk={move?.kind === 'promoted' ? why => service.ask('request', { ...why, ref: byNumber(item), to: move.to }) : undefined}
          onConflict={onChanged}
          onCancel={() => setChosen(null)}
          onDone={() => {
            setChosen(null);
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

/** Change description and tags. */
export function Edit({ item, onDone, onCancel }: IOnVersion): JSX.Element {
  const { service, trans } = useSurroundings();
  const [description, setDescription] = useState(item.version.description);
  const [tags, setTags] = useState(item.version.tags.join(', '));
  // What was not touched is not sent: somebody may have changed it meanwhile.
  const wish = {
    ...(description === item.version.description ? {} : { description }),
    ...(tags === item.version.tags.join(', ') ? {} : { tags: tags.split(',').map(each => each.trim()).filter(Boolean) })
  };
  return (
    <Form
      title={trans.__('Description and tags')}
      verb={trans.__('Save')}
      isReady={Object.keys(wish).length > 0}
      act={why => service.ask('update', { ...why, ...wish, ref: byNumber(item) })}
      onDone={onDone}
      onCancel={onCancel}
    >
      <label>
        {trans.__('Description')}
        <textarea className="jp-mod-styled" rows={4} value={description} onChange={event => setDescription(event.target.value)} />
      </label>
      <label>
        {trans.__('Tags, with commas between')}
        <input className="jp-mod-styled" value={tags} onChange={event => setTags(event.target.value)} />
      </label>
    </Form>
  );
}

/** Point an alias at it. */
export function SetAlias({ item, onDone, onCancel }: IOnVersion): JSX.Element {
  const { service, trans } = useSurroundings();
  const [alias, setAlias] = useState('');
  return (
    <Form
      title={trans.__('An alias for %1', label(item.version))}
      verb={trans.__('Set')}
      told={trans.__('If another version has it, it moves to this one.')}
      isReady={alias.trim() !== ''}
      act={why => service.ask('set-alias', { ...why, ref: byNumber(item), alias: alias.trim() })}
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
export function DropAlias({ item, alias, onDone, onCancel }: IOnVersion & { alias: string }): JSX.Element {
  const { service, trans } = useSurroundings();
  return (
    <Form
      title={trans.__('Take the alias %1 away', alias)}
      verb={trans.__('Take away')}
      told={trans.__('Whoever loads %1 is told that there is none.', `${item.model}@${alias}`)}
      act={why => service.ask('drop-alias', { ...why, model: item.model, alias })}
      onDone={onDone}
      onCancel={onCancel}
    />
  );
}

/** Hide it. */
export function Delete({ item, onDone, onCancel }: IOnVersion): JSX.Element {
  const { service, trans } = useSurroundings();
  return (
    <Form
      title={trans.__('Delete %1', item.ref)}
      verb={trans.__('Delete')}
      told={trans.__('It is hidden, and can be restored; its number is never used again.')}
      needsReason
      act={why => service.ask('delete', { ...why, ref: byNumber(item) })}
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
