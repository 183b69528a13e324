import type { IDisposable } from '@lumino/disposable';

import { Refusal } from '../service';

interface IKnown<T> {
  /** Null where there is no answer; not there while nobody knows. */
  answer?: T | null;
  isStale: boolean;
  /** How often in a row nobody answered. */
  failures: number;
}

/** Milliseconds until a question that nobody answered is asked again: twice as many each time. */
const PATIENCE = { first: 5000, most: 120_000 } as const;

/**
 * What was asked once of each reference.
 *
 * That there is no such version is an answer, and is kept. Where nobody answered, since the server was busy or gone,
 * it is asked again later.
 */
export class AskedOnce<T> implements IDisposable {
  constructor(
    private readonly _ask: (ref: string) => Promise<T>,
    private readonly _onAnswer: () => void,
    private readonly _patience: { readonly first: number; readonly most: number } = PATIENCE
  ) {}

  /** What is known now: undefined while nobody knows, null where there is no answer. Asks what was not asked yet. */
  get(ref: string): T | null | undefined {
    const known = this._known.get(ref);
    if (known && !known.isStale) {
      return known.answer;
    }
    const asked: IKnown<T> = { failures: 0, ...known, isStale: false };
    this._known.set(ref, asked);
    this._ask(ref).then(
      answer => this._answered(ref, asked, answer),
      error => (isAnAnswer(Refusal.of(error)) ? this._answered(ref, asked, null) : this._failed(ref, asked))
    );
    return asked.answer;
  }

  /** Ask anew of those that are chosen; until then what was answered stays. */
  refresh(isChosen: (ref: string) => boolean): void {
    this._known.forEach((known, ref) => (known.isStale ||= isChosen(ref)));
  }

  /** Nothing is known any more. */
  clear(): void {
    this._known.clear();
    this._timers.forEach(clearTimeout);
    this._timers.clear();
  }

  /** Whether anything was asked. */
  get isUsed(): boolean {
    return this._known.size > 0;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.clear();
  }

  private _answered(ref: string, asked: IKnown<T>, answer: T | null): void {
    asked.answer = answer;
    asked.failures = 0;
    if (this._known.get(ref) === asked) {
      this._onAnswer();
    }
  }

  /** What was known stays; whoever is told later looks, and so asks, if it is still of interest. */
  private _failed(ref: string, asked: IKnown<T>): void {
    if (this._known.get(ref) !== asked) {
      return;
    }
    const wait = Math.min(this._patience.first * 2 ** asked.failures, this._patience.most);
    asked.failures += 1;
    const timer = setTimeout(() => {
      this._timers.delete(timer);
      asked.isStale = true;
      this._onAnswer();
    }, wait);
    this._timers.add(timer);
  }

  private readonly _known = new Map<string, IKnown<T>>();
  private readonly _timers = new Set<ReturnType<typeof setTimeout>>();
  private _isDisposed = false;
}

/** Whether the server looked, and said no: not so where it was busy, failed or did not answer. */
function isAnAnswer({ status }: Refusal): boolean {
  return status >= 400 && status < 500;
}
