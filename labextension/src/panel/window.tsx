import React, { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'react';

/** How many items are drawn beyond both ends of what is seen, so that Tab and arrows find the next one. */
const AROUND = 8;

/** How many are drawn where nothing can be measured yet. */
const BLIND = 30;

/** What scrolls; all lists in it share it. */
const FRAME = '.jp-nbreg-Body';

interface IWindowProps {
  label: string;
  /** How many items there are, drawn or not. */
  count: number;
  /** Whether more may turn up behind the last one. */
  isOpenEnded?: boolean;
  keyOf: (index: number) => string;
  /** How high an item probably is; those that were drawn are measured. */
  height: number;
  children: (index: number) => React.ReactNode;
  /** Told what is drawn, so that it can be read. */
  onDraw: (first: number, end: number) => void;
}

/**
 * A list of which only what is seen is in the page, however long it is.
 *
 * Each item says its place and how many there are. One that has the focus stays, wherever the list is scrolled to;
 * lists may stand in items of another one.
 */
export function Window({ label, count, isOpenEnded = false, keyOf, height, children, onDraw }: IWindowProps): JSX.Element {
  const list = useRef<HTMLUListElement>(null);
  const heights = useRef(new Map<string, number>());
  const [measured, remeasure] = useReducer((old: number) => old + 1, 0);
  const [[from, to], setSpan] = useState<readonly [number, number]>([0, BLIND]);
  const [held, setHeld] = useState<number | null>(null);
  const tops = useMemo(() => {
    const sums = new Float64Array(count + 1);
    for (let i = 0; i < count; i++) {
      sums[i + 1] = sums[i] + (heights.current.get(keyOf(i)) ?? height);
    }
    return sums;
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `measured` counts the changes of `heights`
  }, [count, keyOf, height, measured]);

  const look = useRef<() => void>(() => undefined);
  look.current = () => {
    const node = list.current;
    const frame = node?.closest(FRAME);
    if (!node || !frame?.clientHeight) {
      return; // nobody sees it
    }
    const above = frame.getBoundingClientRect().top - node.getBoundingClientRect().top;
    const first = Math.max(0, indexAt(tops, above) - AROUND);
    const last = Math.min(count, indexAt(tops, above + frame.clientHeight) + 1 + AROUND);
    // Compared with what is drawn, and not in an updater: React repeats those, and each time would be a change.
    if (first !== from || last !== to) {
      setSpan([first, last]);
    }
  };
  useLayoutEffect(() => look.current());
  useEffect(() => {
    const frame = list.current?.closest(FRAME);
    if (!frame) {
      return;
    }
    const moved = (): void => look.current();
    // A panel that is shown again has a size again.
    const resized = new ResizeObserver(moved);
    resized.observe(frame);
    frame.addEventListener('scroll', moved, { passive: true });
    return () => {
      resized.disconnect();
      frame.removeEventListener('scroll', moved);
    };
  }, []);

  const sizes = useMemo(
    () =>
      new ResizeObserver(entries => {
        let isNew = false;
        for (const { target } of entries) {
          const { offsetHeight, dataset } = target as HTMLElement;
          const key = dataset['key'] ?? '';
          if (offsetHeight > 0 && heights.current.get(key) !== offsetHeight) {
            heights.current.set(key, offsetHeight);
            isNew = true;
          }
        }
        if (isNew) {
          remeasure();
        }
      }),
    []
  );
  useEffect(() => () => sizes.disconnect(), [sizes]);

  const end = Math.min(to, count);
  const first = Math.min(from, end);
  useEffect(() => onDraw(first, end), [onDraw, first, end]);
  // What has the focus, and its neighbours, which arrows and Tab go to.
  const kept = held === null ? [] : [held - 1, held, held + 1].filter(each => each >= 0 && each < count);
  const drawn = [...new Set([...kept, ...Array.from({ length: end - first }, (_, i) => first + i)])].sort((a, b) => a - b);
  return (
    <ul
      ref={list}
      className="jp-nbreg-Window"
      aria-label={label}
      style={{ height: tops[count] }}
      onFocus={event => setHeld(placeOf(event.target, event.currentTarget))}
      onBlur={() => setHeld(null)}
    >
      {drawn.map(index => (
        <Item key={keyOf(index)} id={keyOf(index)} index={index} top={tops[index]} count={isOpenEnded ? -1 : count} sizes={sizes}>
          {children(index)}
        </Item>
      ))}
    </ul>
  );
}

interface IItemProps {
  id: string;
  index: number;
  top: number;
  count: number;
  sizes: ResizeObserver;
  children: React.ReactNode;
}

function Item({ id, index, top, count, sizes, children }: IItemProps): JSX.Element {
  const node = useRef<HTMLLIElement>(null);
  useEffect(() => {
    const { current } = node;
    if (!current) {
      return;
    }
    sizes.observe(current);
    return () => sizes.unobserve(current);
  }, [sizes]);
  return (
    <li ref={node} data-key={id} data-index={index} aria-posinset={index + 1} aria-setsize={count} style={{ top }}>
      {children}
    </li>
  );
}

/** The item that lies at that height. */
function indexAt(tops: Float64Array, height: number): number {
  let [low, high] = [0, tops.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (tops[middle] <= height) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

/** The place of the item that holds an element, in that list itself. */
function placeOf(target: Element, list: Element): number | null {
  let item: Element | null = target;
  while (item && item.parentElement !== list) {
    item = item.parentElement;
  }
  const index = item?.getAttribute('data-index');
  return index ? Number(index) : null;
}
