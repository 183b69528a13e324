import { Notification } from '@jupyterlab/apputils';

import { Refusal } from './service';

/** Why not, and what next, on one line. */
export function sentence(error: unknown): string {
  const { message, hint } = Refusal.of(error);
  return [message, hint].filter(Boolean).join(' · ');
}

/** Say in a corner of the page why something was not done, where nothing else would. */
export function tellWhyNot(error: unknown): void {
  Notification.warning(sentence(error), { autoClose: 8000 });
}

/** Say in a corner of the page that it was done, where nothing else shows it. */
export function tellDone(text: string): void {
  Notification.success(text, { autoClose: 3000 });
}
