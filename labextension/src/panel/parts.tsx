import { nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import React, { createContext, useCallback, useContext, useEffect, useRef, useState } from 'react';

import type { IChanges } from '../contract';
import { Refusal, type Answer, type Asked, type Path, type RegistryService } from '../service';
import { Translation, useTrans } from '../translation';
import { ago, exactly, points, shown } from '../words';

/** What all parts of the panel are given. */
export interface ISurroundings {
  service: RegistryService;
  trans: TranslationBundle;
  /** Put the code that loads a version into the open notebook; says why not, where it cannot. */
  insertCode: (ref: string) => string;
  /** Go to the cell that made a version; says why not, where there is no way. */
  showCell: (ref: string) => Promise<string>;
  /** Put text into the clipboard, also where the page is not served over HTTPS and has no `navigator.clipboard`. */
  copyText: (text: string) => void;
}

const Surroundings = createContext<ISurroundings>({
  service: undefined as unknown as RegistryService,
  trans: nullTranslator.load('nbreg'),
  insertCode: () => '',
  showCell: () => Promise.resolve(''),
  copyText: () => undefined
});

/** Gives all parts of the panel what they are given. */
export function Surrounded({ by, children }: { by: ISurroundings; children: React.ReactNode }): JSX.Element {
  return (
    <Surroundings.Provider value={by}>
      <Translation.Provider value={by.trans}>{children}</Translation.Provider>
    </Surroundings.Provider>
  );
}

export const useSurroundings = (): ISurroundings => useContext(Surroundings);

/** An answer, why there is none, or neither yet; `again` asks once more and keeps what there is meanwhile. */
export interface IAsked<T> {
  answer: T | null;
  failure: Refusal | null;
  again: () => void;
}

/** What an answer is about: everything, a model by its name, something else of the registry, or what never changes. */
export type About = 'all' | string | { other: 'registry' | 'runs' | 'drafts' | 'data' } | null;

/** Ask a route, and again when the question or what it is about changed. */
export function useAnswer<P extends Path>(path: P, asked: Asked<P> | null, about: About): IAsked<Answer<P>> {
  const { service } = useSurroundings();
  const [state, setState] = useState<{ key: string; answer: Answer<P> | null; failure: Refusal | null }>({ key: '', answer: null, failure: null });
  const [round, setRound] = useState(0);
  const question = JSON.stringify([service.registry?.key, asked]);
  useEffect(() => {
    if (asked === null) {
      return;
    }
    let isCurrent = true;
    service.ask(path, asked).then(
      answer => isCurrent && setState({ key: question, answer, failure: null }),
      error => {
        const failure = Refusal.of(error);
        // What was read stays while the server cannot be reached, but not what is there no more.
        const keeps = (key: string): boolean => key === question && failure.status !== 404;
        return isCurrent && setState(old => ({ key: question, answer: keeps(old.key) ? old.answer : null, failure }));
      }
    );
    return () => {
      isCurrent = false;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `question` is all that `asked` holds
  }, [service, path, question, round]);
  const again = useCallback(() => setRound(old => old + 1), []);
  useChanges(changes => {
    const isOther = typeof about === 'object' && about !== null && (changes.all || changes.others.includes(about.other));
    if (isOther || about === 'all' || (typeof about === 'string' && isAbout(changes, about))) {
      again();
    }
  });
  return { answer: state.key === question ? state.answer : null, failure: state.key === question ? state.failure : null, again };
}

/** What was answered last, while the next question is asked: a list that blinks loses whoever has scrolled in it. */
export function useLast<T>(answer: T | null): T | null {
  const last = useRef(answer);
  last.current = answer ?? last.current;
  return last.current;
}

export function isAbout(changes: IChanges, model: string): boolean {
  return changes.all || changes.gone.includes(model) || changes.models.some(each => each.name === model);
}

/** Be told of changes, by whichever process. */
export function useChanges(then: (changes: IChanges) => void): void {
  const { service } = useSurroundings();
  const latest = useRef(then);
  latest.current = then;
  useEffect(() => {
    const tell = (_: unknown, changes: IChanges): void => latest.current(changes);
    service.changed.connect(tell);
    return () => void service.changed.disconnect(tell);
  }, [service]);
}

/** A stage: a dot that helps the eye, and the word that says it, unless that stands beside it. */
export function Stage({ stage, bare = false }: { stage: string; bare?: boolean }): JSX.Element {
  const known = stage.toLowerCase().replace(/[^a-z0-9]/g, '');
  return (
    <span className="jp-nbreg-Stage">
      <span className={`jp-nbreg-Dot jp-nbreg-mod-${known}`} aria-hidden="true" />
      {!bare && stage}
    </span>
  );
}

/** When it was, roughly; to the second where the pointer rests. */
export function When({ at }: { at: string }): JSX.Element {
  const trans = useTrans();
  return (
    <time dateTime={at} title={exactly(at)}>
      {ago(at, trans)}
    </time>
  );
}

/** Why not, and what next; `hint` where the next step is a button here, and nothing to type. */
export function Failure({ refusal, hint, onAgain }: { refusal: Refusal; hint?: string; onAgain?: () => void }): JSX.Element {
  const trans = useTrans();
  return (
    <div className={`jp-nbreg-Failure${refusal.isConflict ? ' jp-nbreg-mod-conflict' : ''}`} role="alert">
      {refusal.code === 'conflict' && <b>{trans.__('Nothing was changed: somebody was here first.')}</b>}
      <div>{refusal.gates.length > 0 ? trans.__('It does not pass what the stage requires:') : refusal.message}</div>
      {refusal.gates.length > 0 && (
        <ul className="jp-nbreg-Gates">
          {refusal.gates.map((each, i) => (
            <li key={i}>
              <span className={each.passed ? 'jp-nbreg-mod-added' : 'jp-nbreg-mod-removed'} role="img" aria-label={each.passed ? trans.__('passed') : trans.__('not passed')}>
                {each.passed ? '✓' : '✗'}
              </span>{' '}
              <code>{each.gate}</code> <span className="jp-nbreg-quiet">{each.why}</span>
            </li>
          ))}
        </ul>
      )}
      {(hint ?? refusal.hint) && <div className="jp-nbreg-quiet">{hint ?? refusal.hint}</div>}
      {onAgain && (
        <button type="button" className="jp-nbreg-Link" onClick={onAgain}>
          {trans.__('Try again')}
        </button>
      )}
    </div>
  );
}

/** In the place of an answer: why there is none, or what is waited for. */
export function Pending({ failure, onAgain, told }: { failure: Refusal | null; onAgain?: () => void; told?: string }): JSX.Element {
  const trans = useTrans();
  return failure ? <Failure refusal={failure} onAgain={onAgain} /> : <p className="jp-nbreg-quiet">{told ?? trans.__('Reading…')}</p>;
}

/** A paragraph in which what stands between backticks can be typed. */
export function Told({ children, quiet = false }: { children: string; quiet?: boolean }): JSX.Element {
  return <p className={quiet ? 'jp-nbreg-quiet' : undefined}>{children.split('`').map((each, i) => (i % 2 ? <code key={i}>{each}</code> : each))}</p>;
}

/** Names and values, a pair a line; what says nothing is left out. A name may come twice, as half of the traffic does. */
export function Facts({ rows }: { rows: ReadonlyArray<[string, React.ReactNode]> }): JSX.Element | null {
  const told = rows.filter(([, value]) => value !== '' && value !== null && value !== undefined);
  if (told.length === 0) {
    return null;
  }
  return (
    <dl className="jp-nbreg-Facts">
      {told.map(([name, value], i) => (
        <React.Fragment key={`${i} ${name}`}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </React.Fragment>
      ))}
    </dl>
  );
}

/** A line over the versions, oldest first, with the newest value in words. */
export function Sparkline({ name, values }: { name: string; values: ReadonlyArray<number> }): JSX.Element | null {
  const { trans } = useSurroundings();
  if (values.length < 2) {
    return null;
  }
  const at = points(values, 100, 22);
  const last = values[values.length - 1];
  const [x, y] = at[at.length - 1];
  return (
    <div className="jp-nbreg-Spark">
      <span className="jp-nbreg-quiet">{name}</span>
      <svg viewBox="-3 -3 106 28" preserveAspectRatio="none" role="img" aria-label={trans.__('%1 over %2 versions, now %3', name, values.length, shown(last))}>
        <polyline points={at.map(each => each.join(',')).join(' ')} />
        <circle cx={x} cy={y} r="2" />
      </svg>
      <span className="jp-nbreg-Number">{shown(last)}</span>
    </div>
  );
}

/** Something that is read only when it is opened; short things that matter are open from the beginning. */
export function Section({ title, count, isOpen: isOpenAtFirst = false, children }: { title: string; count?: number | string; isOpen?: boolean; children: () => JSX.Element | null }): JSX.Element {
  const [isOpen, setOpen] = useState(isOpenAtFirst);
  return (
    <details className="jp-nbreg-Section" open={isOpen} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary>
        {title}
        {count !== undefined && count !== '' && <span className="jp-nbreg-quiet"> {count}</span>}
      </summary>
      {isOpen && children()}
    </details>
  );
}

/** What shows the rest of something long, called by what is said in it, and hides it again: it stays, and with it the focus. */
export function Rest({ isShown, onToggle, children }: { isShown: boolean; onToggle: (isShown: boolean) => void; children: React.ReactNode }): JSX.Element {
  const trans = useTrans();
  return (
    <div>
      <button className="jp-nbreg-Link" aria-expanded={isShown} onClick={() => onToggle(!isShown)}>
        {isShown ? trans.__('Show less') : children}
      </button>
    </div>
  );
}
