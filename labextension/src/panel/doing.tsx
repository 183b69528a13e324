import React, { useState } from 'react';

/** What a form is given by the place that it opens in. */
export interface IDone {
  onDone: () => void;
  onCancel: () => void;
}

/** Which form of a place is open: one at a time. */
export interface IDoing<T> {
  /** Null where none is. */
  what: T | null;
  /** Open that one, or none. */
  start: (what: T | null) => void;
  /** For the form that is open: done or given up, it closes. */
  form: IDone;
}

/** What the page of a version may be doing. */
export type OnVersion = 'edit' | 'alias' | 'delete' | 'copy' | 'transfer' | `drop ${string}` | `move ${string}`;

/** Forms that open in a place; `onDone` is told where one of them changed something. */
export function useDoing<T extends string | number>(onDone: () => void): IDoing<T> {
  const [what, start] = useState<T | null>(null);
  const form: IDone = {
    onDone: () => {
      start(null);
      onDone();
    },
    onCancel: () => start(null)
  };
  return { what, start, form };
}

interface IToggle<T> {
  doing: IDoing<T>;
  /** The form that it opens, and closes again. */
  opens: NoInfer<T>;
  /** What a screen reader says, where the words alone do not tell. */
  label?: string;
  title?: string;
  className?: string;
  children: React.ReactNode;
}

/** A button that opens a form. */
export function Toggle<T extends string | number>({ doing, opens, label, title, className = 'jp-nbreg-Link', children }: IToggle<T>): JSX.Element {
  const isOpen = doing.what === opens;
  return (
    <button className={className} title={title} aria-label={label} aria-expanded={isOpen} onClick={() => doing.start(isOpen ? null : opens)}>
      {children}
    </button>
  );
}
