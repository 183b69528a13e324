import React, { useEffect, useId, useRef, useState } from 'react';

import { Refusal } from '../service';
import { Failure, useSurroundings } from './parts';

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
  /** What is refused at first, and done all the same by whoever says why. */
  force?: IForce;
  /** What a reason may be, in the empty field. */
  example?: string;
  /** Nothing is said for people to read. */
  withoutMessage?: boolean;
  /** Not even a reason is taken. */
  withoutReason?: boolean;
}

/** A way past a refusal: what it passes over is said, and it is done with a reason or not at all. */
export interface IForce {
  /** The codes of the refusals that may be passed over. */
  codes: ReadonlyArray<string>;
  /** What stands on the button that does it. */
  verb: string;
  /** What is passed over, in the words of the refusal where there was one. */
  told: (refusal: Refusal | null) => React.ReactNode;
  act: Act;
  /** It is known beforehand that it would be refused. */
  isKnown?: boolean;
}

/** Ask why, in place, and do it. */
export function Form(props: IFormProps): JSX.Element {
  const { title, verb, told, needsReason = false, onDone, onCancel, onConflict, act, children, isReady = true, onAsk, force } = props;
  const { service, trans } = useSurroundings();
  const [why, setWhy] = useState<IWhy>({ reason: '', message: '' });
  const [refusal, setRefusal] = useState<Refusal | null>(null);
  const [isBusy, setBusy] = useState(false);
  // What is passed over: a refusal that was read, or what was known to be in the way.
  const [passed, setPassed] = useState<Refusal | null>(null);
  const isForced = force !== undefined && (passed !== null || Boolean(force.isKnown));
  const first = useRef<HTMLFormElement>(null);
  const reason = useRef<HTMLInputElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    first.current?.querySelector<HTMLElement>('input, textarea, select')?.focus();
    return () => {
      // Whoever came by the keyboard goes on from where the form was opened.
      if (document.activeElement === document.body && before instanceof HTMLElement && before.isConnected) {
        before.focus();
      }
    };
  }, []);
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
        setPassed(null); // it was read of what is not so any more
        onConflict?.();
      }
      return;
    }
    onDone();
    service.refresh().catch(() => undefined); // the next poll tells
  };
  const insist = (): void => {
    setPassed(refusal);
    setRefusal(null);
    reason.current?.focus();
  };
  const canAsk = onAsk !== undefined && refusal !== null && refusal.gates.length > 0;
  const canInsist = force !== undefined && !isForced && refusal !== null && force.codes.includes(refusal.code);
  const next =
    canAsk && canInsist
      ? trans.__('Ask the others to agree; or do it all the same, with a reason.')
      : canInsist
        ? trans.__('It can be done all the same, with a reason.')
        : undefined;
  return (
    <form
      ref={first}
      className="jp-nbreg-Form"
      aria-labelledby={`${id}-title`}
      onSubmit={event => {
        event.preventDefault();
        void attempt(isForced ? force.act : act);
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
      {isForced && (
        <div className="jp-nbreg-Failure jp-nbreg-mod-forced" role="note">
          {force.told(passed)}
          <div className="jp-nbreg-quiet">{trans.__('It stands in the events for good, with your name and your reason.')}</div>
        </div>
      )}
      {!props.withoutReason && (
        <label>
          {needsReason || isForced ? trans.__('Reason') : trans.__('Reason, in a word')}
          <input
            ref={reason}
            className="jp-mod-styled"
            value={why.reason}
            required={needsReason || isForced}
            placeholder={props.example}
            onChange={event => setWhy({ ...why, reason: event.target.value })}
          />
        </label>
      )}
      {!props.withoutReason && !props.withoutMessage && (
        <label>
          {trans.__('Message, for people')}
          <input className="jp-mod-styled" value={why.message} onChange={event => setWhy({ ...why, message: event.target.value })} />
        </label>
      )}
      {refusal && <Failure refusal={refusal} hint={next} />}
      <div className="jp-nbreg-Buttons">
        <button type="button" className="jp-mod-styled jp-mod-reject" onClick={onCancel}>
          {trans.__('Cancel')}
        </button>
        {canAsk && (
          <button type="button" className="jp-mod-styled" disabled={isBusy} onClick={() => void attempt(onAsk)}>
            {trans.__('Ask for it')}
          </button>
        )}
        {canInsist && (
          <button type="button" className="jp-mod-styled" onClick={insist}>
            {trans.__('All the same…')}
          </button>
        )}
        <button
          type="submit"
          className={`jp-mod-styled ${isForced ? 'jp-mod-warn' : 'jp-mod-accept'}`}
          disabled={isBusy || !isReady || (isForced && why.reason.trim() === '')}
        >
          {isForced ? force.verb : verb}
        </button>
      </div>
    </form>
  );
}
