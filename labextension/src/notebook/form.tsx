import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useCallback, useEffect, useId, useState } from 'react';

import type { IForetold, IHeldModel, IHolding } from '../contract';
import { Failure } from '../panel/parts';
import { Refusal } from '../service';
import { useTrans } from '../translation';
import { listed } from '../words';
import { Line } from './foretold';
import type { IAskOptions, Waiting } from './kernel';
import { cellOf, NOTHING, toggled, whyNoName, type IFilledIn } from './line';

export interface IFormProps {
  /** The models of the kernel. */
  hold: (options: IAskOptions) => Promise<IHolding>;
  /** What a line would register. */
  preview: (line: string, options: IAskOptions) => Promise<IForetold>;
  /** Be told that the kernel began anew, or is another one; what comes back ends it. */
  follow: (told: () => void) => () => void;
  /** Put this text into a cell and run it. */
  onRegister: (cell: string) => void;
  onCancel: () => void;
}

type Set = (part: Partial<IFilledIn>) => void;

/** Asks the kernel what it holds, and somebody what to register of it; what comes out is a line for a cell. */
export function RegisterForm({ hold, preview, follow, onRegister, onCancel }: IFormProps): JSX.Element {
  const trans = useTrans();
  const [given, setGiven] = useState<IFilledIn>(NOTHING);
  const choose = useCallback((found: IHolding): void => setGiven(old => ({ ...old, variable: chosen(found, old.variable) })), []);
  const { holding, failure, waiting, again } = useHolding(hold, follow, choose);
  const set = useCallback((part: Partial<IFilledIn>): void => setGiven(old => ({ ...old, ...part })), []);
  const isReady = holding !== null && given.variable !== '' && whyNoName(given.model) === '';
  return (
    <form
      className="jp-nbreg-Form jp-nbreg-mod-register"
      aria-label={trans.__('Register a model')}
      onSubmit={event => {
        event.preventDefault();
        if (isReady) {
          onRegister(cellOf(given, holding.loaded));
        }
      }}
    >
      <h2 className="jp-nbreg-FormTitle">{trans.__('Register a model')}</h2>
      {failure && <Failure refusal={failure} onAgain={again} />}
      {!failure && !holding && <Wait why={waiting} />}
      {holding && (
        <>
          <Held holding={holding} given={given} set={set} onAgain={again} />
          <Fields holding={holding} given={given} set={set} />
          <Line given={given} isLoaded={holding.loaded} isReady={isReady} preview={preview} />
        </>
      )}
      <div className="jp-nbreg-Buttons">
        <button type="button" className="jp-mod-styled jp-mod-reject" onClick={onCancel}>
          {trans.__('Cancel')}
        </button>
        <button type="submit" className="jp-mod-styled jp-mod-accept" disabled={!isReady}>
          {trans.__('Register')}
        </button>
      </div>
    </form>
  );
}

interface IHeld {
  holding: IHolding | null;
  failure: Refusal | null;
  /** What is waited for, once it takes a while. */
  waiting: Waiting | null;
  again: () => void;
}

/** What the kernel holds, asked anew when it began anew; `onHolding` is told each time. */
function useHolding(hold: IFormProps['hold'], follow: IFormProps['follow'], onHolding: (holding: IHolding) => void): IHeld {
  const [state, setState] = useState<Omit<IHeld, 'again'>>({ holding: null, failure: null, waiting: null });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const gone = new AbortController();
    const tell = (part: Partial<IHeld>): void => {
      if (!gone.signal.aborted) {
        setState(old => ({ ...old, failure: null, waiting: null, ...part }));
      }
    };
    tell({});
    hold({ signal: gone.signal, onWaiting: waiting => tell({ waiting }) }).then(
      holding => {
        tell({ holding });
        if (!gone.signal.aborted) {
          onHolding(holding);
        }
      },
      error => tell({ failure: Refusal.of(error) })
    );
    return () => gone.abort();
  }, [hold, onHolding, round]);
  const again = useCallback((): void => setRound(old => old + 1), []);
  useEffect(() => follow(again), [follow, again]);
  return { ...state, again };
}

/** The variable that was chosen while it is there, else the one trained last, else the only one. */
function chosen(holding: IHolding, before: string): string {
  const names = holding.models.map(each => each.variable);
  if (names.includes(before)) {
    return before;
  }
  return holding.models.find(each => each.last)?.variable ?? (names.length === 1 ? names[0] : '');
}

function Wait({ why }: { why: Waiting | null }): JSX.Element {
  const trans = useTrans();
  const told = {
    busy: trans.__('The kernel is busy. This is filled in as soon as it is done; nothing is lost by closing it.'),
    starting: trans.__('Waiting for the kernel to answer…')
  };
  return (
    <p className="jp-nbreg-quiet" role="status">
      {why ? told[why] : trans.__('Asking the kernel…')}
    </p>
  );
}

interface IPartProps {
  holding: IHolding;
  given: IFilledIn;
  set: Set;
}

/** The variables that hold models, one of which is chosen. */
function Held({ holding, given, set, onAgain }: IPartProps & { onAgain: () => void }): JSX.Element {
  const trans = useTrans();
  if (holding.models.length === 0) {
    return (
      <div role="status">
        <p>{trans.__('No variable of this kernel holds a model: run the cell that trains one.')}</p>
        <button type="button" className="jp-nbreg-Link" onClick={onAgain}>
          {trans.__('Look again')}
        </button>
      </div>
    );
  }
  return (
    <fieldset className="jp-nbreg-Held">
      <legend>{trans.__('Models in the kernel')}</legend>
      {!holding.loaded && <p className="jp-nbreg-quiet">{trans.__('nbreg is not loaded in this kernel yet: the cell loads it first, and what ran before is known by its text alone.')}</p>}
      {holding.refusal && (
        <p className="jp-nbreg-Failure" role="alert">
          {holding.refusal}
        </p>
      )}
      {[...holding.models].reverse().map(each => (
        <label key={each.variable}>
          <input type="radio" name="nbreg-variable" value={each.variable} checked={given.variable === each.variable} onChange={() => set({ variable: each.variable })} />
          <span title={each.type}>
            <code>{each.variable}</code> {shortType(each.type)} <span className="jp-nbreg-quiet">{state(each, trans)}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function shortType(type: string): string {
  return type.slice(type.lastIndexOf('.') + 1);
}

/** What is known of a model in a kernel, in a few words. */
export function state(held: IHeldModel, trans: TranslationBundle): string {
  return [
    held.last ? trans.__('trained last') : '',
    held.fitted ? '' : trans.__('never fitted'),
    held.ref ? trans.__('is %1 already', held.name) : held.unknown
  ]
    .filter(Boolean)
    .join(' · ');
}

function Fields({ holding, given, set }: IPartProps): JSX.Element {
  const trans = useTrans();
  const known = useId();
  return (
    <div className="jp-nbreg-Fields">
      <label>
        {trans.__('Model')}
        <input
          className="jp-mod-styled"
          value={given.model}
          required
          autoFocus
          autoComplete="off"
          spellCheck={false}
          list={known}
          placeholder="churn"
          onChange={event => set({ model: event.target.value })}
        />
        <datalist id={known}>
          {holding.known.map(each => (
            <option key={each} value={each} />
          ))}
        </datalist>
      </label>
      <Text name="version" label={trans.__('Version')} placeholder={trans.__('the next one')} given={given} set={set} />
      <Metrics holding={holding} given={given} set={set} />
      <Text name="tags" label={trans.__('Tags, with commas between')} placeholder="baseline, eu" given={given} set={set} />
      <label>
        {trans.__('Stage')}
        <select className="jp-mod-styled" value={given.stage} onChange={event => set({ stage: event.target.value })}>
          <option value="">{trans.__('none')}</option>
          {holding.stages.slice(1).map(each => (
            <option key={each} value={each}>
              {each}
            </option>
          ))}
        </select>
      </label>
      <Text name="reason" label={trans.__('Reason, a word')} placeholder="FirstCut" given={given} set={set} />
      <Text name="message" label={trans.__('Message, for people')} placeholder={trans.__('what is new in it')} given={given} set={set} />
    </div>
  );
}

function Text({ name, label, placeholder, given, set }: { name: keyof IFilledIn; label: string; placeholder: string; given: IFilledIn; set: Set }): JSX.Element {
  return (
    <label>
      {label}
      <input className="jp-mod-styled" value={given[name]} placeholder={placeholder} autoComplete="off" onChange={event => set({ [name]: event.target.value })} />
    </label>
  );
}

/** A list of variables and values, and the numbers of the kernel to choose from. */
function Metrics({ holding, given, set }: IPartProps): JSX.Element {
  const trans = useTrans();
  const names = listed(given.metrics);
  return (
    <div className="jp-nbreg-Measured">
      <Text name="metrics" label={trans.__('Metrics: variables, or auc=0.9')} placeholder="accuracy, auc=0.9" given={given} set={set} />
      {holding.numbers.length > 0 && (
        <div className="jp-nbreg-Chips" role="group" aria-label={trans.__('Numbers in the kernel')}>
          {holding.numbers.slice(0, 8).map(each => (
            <button key={each} type="button" className="jp-nbreg-Chip" aria-pressed={names.includes(each)} onClick={() => set({ metrics: toggled(given.metrics, each) })}>
              {each}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
