import { useCallback, useEffect, useRef, useState } from 'react';

import type { IChanges } from '../contract';
import { Refusal } from '../service';
import { useChanges } from './parts';

/** How many are read at once: more than any screen shows. */
const PAGE = 100;

const NONE: readonly never[] = [];

/** Part of a long answer; `total` is how many there are, or at least are known to be, in all of it. */
export interface IPart<T> {
  items: ReadonlyArray<T>;
  total: number;
}

/** A long answer of which only what somebody looks at was read. */
export interface IPages<T> {
  /** How many there are; null until the first page was read. */
  total: number | null;
  failure: Refusal | null;
  /** The item at that place, if its page was read. */
  at: (index: number) => T | undefined;
  /** The first page. */
  first: ReadonlyArray<T>;
  /** These are in view, or nearly. */
  need: (first: number, end: number) => void;
  again: () => void;
}

interface IRead<T> {
  total: number;
  pages: ReadonlyMap<number, IPage<T>>;
}

interface IPage<T> {
  items: ReadonlyArray<T>;
  /** Since which all is read anew; what was read before is shown until then. */
  round: number;
}

/**
 * Read a long answer page by page as it comes into view, and what is in view again when it changed.
 *
 * What was read stays while the next question is asked: a list that blinks at each letter cannot be read.
 */
export function usePages<T>(
  read: (offset: number, limit: number) => Promise<IPart<T>>,
  question: string,
  isConcerned: (changes: IChanges) => boolean
): IPages<T> {
  const [known, setKnown] = useState<IRead<T> | null>(null);
  const [failure, setFailure] = useState<Refusal | null>(null);
  const state = useRef({ round: 0, asked: new Set<number>(), view: [0] as ReadonlyArray<number> });
  const latest = useRef(read);
  latest.current = read;
  const fetch = useCallback((numbers: ReadonlyArray<number>, isFresh: boolean) => {
    const { current } = state;
    if (isFresh) {
      current.round += 1;
      current.asked.clear();
    }
    const { round } = current;
    numbers.forEach(each => current.asked.add(each));
    Promise.all(numbers.map(each => latest.current(each * PAGE, PAGE))).then(
      parts => {
        if (round === current.round) {
          const more = numbers.map((each, i) => [each, { items: parts[i].items, round }] as const);
          // A page behind the end knows nothing of how many there are.
          const totals = parts.filter((each, i) => numbers[i] === 0 || each.items.length > 0).map(each => each.total);
          setKnown(old => {
            const left = [...(old?.pages ?? [])].filter(([, page]) => !isFresh || page.round === round);
            return { total: totals.length > 0 ? Math.max(...totals) : (old?.total ?? 0), pages: new Map([...left, ...more]) };
          });
          setFailure(null);
        }
      },
      error => {
        if (round === current.round) {
          current.asked.clear();
          setFailure(Refusal.of(error));
        }
      }
    );
  }, []);
  const again = useCallback(() => fetch([...new Set([0, ...state.current.view])], true), [fetch]);
  useEffect(again, [again, question]);
  useEffect(() => () => void (state.current.round = -1), []);
  useChanges(changes => {
    if (isConcerned(changes)) {
      again();
    }
  });
  const need = useCallback(
    (first: number, end: number) => {
      const { current } = state;
      const last = Math.floor(Math.max(first, end - 1) / PAGE);
      current.view = Array.from({ length: last - Math.floor(first / PAGE) + 1 }, (_, i) => Math.floor(first / PAGE) + i);
      const missing = current.view.filter(each => !current.asked.has(each));
      if (missing.length > 0) {
        fetch(missing, false);
      }
    },
    [fetch]
  );
  const at = useCallback((index: number) => known?.pages.get(Math.floor(index / PAGE))?.items[index % PAGE], [known]);
  return { total: known?.total ?? null, failure, at, first: known?.pages.get(0)?.items ?? NONE, need, again };
}
