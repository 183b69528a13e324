import React, { createContext, useContext, useEffect, useRef } from 'react';

/** What can be looked at in the sidebar, below the list of models. */
export type Place =
  | { kind: 'version'; ref: string }
  | { kind: 'diff'; a: string; b: string }
  | { kind: 'events' }
  | { kind: 'model'; model: string }
  | { kind: 'run'; run: string }
  | { kind: 'data'; data: string };

/** How any part of the panel leads to another one. */
export const Way = createContext<(place: Place) => void>(() => undefined);

export const useGo = (): ((place: Place) => void) => useContext(Way);

/** Words that lead to another place of the sidebar. */
export function To({ place, children, title }: { place: Place; children: React.ReactNode; title?: string }): JSX.Element {
  const go = useGo();
  return (
    <button className="jp-nbreg-Link" title={title} onClick={() => go(place)}>
      {children}
    </button>
  );
}

/** What a place is about. It has the focus, so that whoever came by the keyboard goes on from there. */
export function Heading({ children }: { children: React.ReactNode }): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <h2 tabIndex={-1} ref={heading}>
      {children}
    </h2>
  );
}

/** Something outside: only what a browser opens as a page is an anchor, whatever somebody wrote there. */
export function Outside({ target, children }: { target: string; children?: React.ReactNode }): JSX.Element {
  const page = webPage(target);
  if (!page) {
    return <span>{children ?? target}</span>;
  }
  return (
    <a className="jp-nbreg-Link" href={page.href} title={target} target="_blank" rel="noopener noreferrer">
      {children ?? target} <span aria-hidden="true">↗</span>
    </a>
  );
}

/** The address, if it is one of the web. */
export function webPage(target: string): URL | null {
  try {
    const url = new URL(target);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url : null;
  } catch {
    return null;
  }
}
