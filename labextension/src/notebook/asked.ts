interface IKnown<T> {
  /** Null where there is no answer; not there while nobody knows. */
  answer?: T | null;
  isStale: boolean;
}

/** What was asked once of each reference. */
export class AskedOnce<T> {
  constructor(
    private readonly _ask: (ref: string) => Promise<T>,
    private readonly _onAnswer: () => void
  ) {}

  /** What is known now: undefined while nobody knows, null where there is no answer. Asks what was not asked yet. */
  get(ref: string): T | null | undefined {
    const known = this._known.get(ref);
    if (known && !known.isStale) {
      return known.answer;
    }
    const asked: IKnown<T> = { ...known, isStale: false };
    this._known.set(ref, asked);
    const answered = (answer: T | null): void => {
      asked.answer = answer;
      if (this._known.get(ref) === asked) {
        this._onAnswer();
      }
    };
    this._ask(ref).then(answered, () => answered(null));
    return asked.answer;
  }

  /** Ask anew of those that are chosen; until then what was answered stays. */
  refresh(isChosen: (ref: string) => boolean): void {
    this._known.forEach((known, ref) => (known.isStale ||= isChosen(ref)));
  }

  /** Nothing is known any more. */
  clear(): void {
    this._known.clear();
  }

  /** Whether anything was asked. */
  get isUsed(): boolean {
    return this._known.size > 0;
  }

  private readonly _known = new Map<string, IKnown<T>>();
}
