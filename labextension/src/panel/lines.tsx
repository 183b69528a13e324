import React, { useEffect, useRef } from 'react';

const LINES = 'button.jp-nbreg-Model:enabled, button.jp-nbreg-Version:enabled';

/**
 * Lists of lines, which arrows walk through: up and down a line, right to open a model, left to close it or to go back to it.
 *
 * Tab stops at one of them, where the focus was last or else at the first, and goes on to what is behind: nobody has
 * to pass a hundred versions to come to what stands below them.
 */
export function Lines({ children }: { children: React.ReactNode }): JSX.Element {
  const node = useRef<HTMLDivElement>(null);
  useEffect(() => (node.current ? keepOneStop(node.current) : undefined), []);
  return (
    <div ref={node} className="jp-nbreg-Walk" onKeyDown={arrows}>
      {children}
    </div>
  );
}

/** Go to the first of the lines in a panel: down from the box that searches them, unless the key goes through words that are offered for it. */
export function toFirstLine(event: React.KeyboardEvent<HTMLElement>): void {
  const isMeant = event.key === 'ArrowDown' && !isOfOther(event) && !event.nativeEvent.isComposing;
  const line = isMeant && event.currentTarget.closest('.jp-nbreg-Panel')?.querySelector<HTMLElement>(LINES);
  if (line) {
    line.focus();
    event.preventDefault();
  }
}

/** Of all lines, also of those that are drawn later, the Tab key stops at one. */
function keepOneStop(node: HTMLElement): () => void {
  let last: HTMLElement | null = null;
  const settle = (): void => {
    const lines = linesOf(node);
    const stop = last && lines.includes(last) ? last : lines[0];
    lines.forEach(each => (each.tabIndex = each === stop ? 0 : -1));
  };
  const focused = (event: FocusEvent): void => {
    last = (event.target as HTMLElement).closest<HTMLElement>(LINES) ?? last;
    settle();
  };
  const drawn = new MutationObserver(settle);
  drawn.observe(node, { childList: true, subtree: true });
  node.addEventListener('focusin', focused);
  settle();
  return () => {
    drawn.disconnect();
    node.removeEventListener('focusin', focused);
  };
}

function arrows(event: React.KeyboardEvent<HTMLElement>): void {
  const line = (event.target as HTMLElement).closest<HTMLElement>(LINES);
  if (!line || isOfOther(event)) {
    return;
  }
  const lines = linesOf(event.currentTarget);
  const to = (index: number): void => lines[index]?.focus();
  const at = lines.indexOf(line);
  const isOpen = line.getAttribute('aria-expanded');
  switch (event.key) {
    case 'ArrowDown':
      to(at + 1);
      break;
    case 'ArrowUp':
      to(at - 1);
      break;
    case 'ArrowRight':
      if (isOpen === 'false') {
        line.click();
      }
      break;
    case 'ArrowLeft':
      if (isOpen === 'true') {
        line.click();
      } else if (isOpen === null) {
        to(lines.slice(0, at).map(each => each.hasAttribute('aria-expanded')).lastIndexOf(true));
      }
      break;
    default:
      return;
  }
  event.preventDefault();
}

/** Whether the key belongs to a shortcut, or to a selection. */
function isOfOther(event: React.KeyboardEvent<HTMLElement>): boolean {
  return event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
}

function linesOf(node: HTMLElement): HTMLElement[] {
  return [...node.querySelectorAll<HTMLElement>(LINES)];
}
