import type { KeyboardEvent } from 'react';

const LINES = 'button.jp-nbreg-Model:enabled, button.jp-nbreg-Version:enabled';

/** Walk through models and versions with arrows: up and down a line, right to open a model, left to close it or to go back to it. */
export function arrows(event: KeyboardEvent<HTMLElement>): void {
  const line = (event.target as HTMLElement).closest<HTMLElement>(LINES);
  if (!line || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) {
    return;
  }
  const lines = [...event.currentTarget.querySelectorAll<HTMLElement>(LINES)];
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
