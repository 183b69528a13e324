import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel, KernelMessage } from '@jupyterlab/services';

import type { IForetold, IHolding } from '../contract';
import { Refusal } from '../service';

/** The type of what nbreg answers in a kernel. */
export const ANSWER_MIME = 'application/vnd.nbreg.answer+json';

const MODULE = 'nbreg.kernel.asking';

/** Every so many milliseconds somebody who waits is told for what. */
const PATIENCE = 500;

/** Why a kernel has not answered yet. */
export type Waiting = 'starting' | 'busy';

export interface IAskOptions {
  signal?: AbortSignal;
  /** It takes a while. */
  onWaiting?: (why: Waiting) => void;
}

/** The models that a kernel holds. Rejects with a `Refusal` that says what to do. */
export async function askHolding(context: ISessionContext | undefined, options: IAskOptions = {}): Promise<IHolding> {
  return (await ask(context, 'holding()', options)) as IHolding;
}

/** What a line would register. Rejects with a `Refusal`. */
export async function askPreview(context: ISessionContext | undefined, line: string, options: IAskOptions = {}): Promise<IForetold> {
  return (await ask(context, `preview(${literal(line)})`, options)) as IForetold;
}

/** Say what the document is while the cell of that id is sent: first in the queue, and nobody waits for it. */
export function tellDocument(kernel: Kernel.IKernelConnection, cell: string, cells: ReadonlyArray<readonly [string, string | null]>, isAlone: boolean): void {
  const told = `[${cells.map(([id, source]) => `(${literal(id)}, ${source === null ? 'None' : literal(source)})`).join(', ')}]`;
  // Where nbreg is not loaded nothing is imported, and nothing is told.
  const expression = `'nbreg.kernel' in __import__('sys').modules and ${call(`tell(${literal(cell)}, ${told}, ${isAlone ? 'True' : 'False'})`)}`;
  const future = request(kernel, expression);
  future.done.catch(() => undefined).finally(() => future.dispose());
}

/** A text as Python reads it: JSON's escapes are all Python's. */
export function literal(text: string): string {
  return JSON.stringify(text);
}

async function ask(context: ISessionContext | undefined, question: string, { signal, onWaiting }: IAskOptions): Promise<unknown> {
  const kernel = context?.session?.kernel;
  if (!context || !kernel || kernel.isDisposed || kernel.status === 'dead') {
    throw new Refusal('no-kernel', 'this notebook has no kernel that runs', 'start one: Kernel → Change Kernel…');
  }
  let future: ReturnType<typeof request> | null = null;
  const timer = setInterval(() => onWaiting?.(kernel.status === 'busy' ? 'busy' : 'starting'), PATIENCE);
  try {
    const info = await abortable(kernel.info, signal);
    if (info.language_info.name !== 'python') {
      throw new Refusal('no-python', `this kernel speaks ${info.language_info.name}`, 'nbreg registers what Python kernels hold');
    }
    future = request(kernel, call(question));
    return answerOf((await abortable(future.done, signal)).content);
  } catch (error) {
    if (error instanceof Refusal || signal?.aborted) {
      throw error;
    }
    throw new Refusal('no-answer', 'the kernel did not answer', 'was it restarted? Try again');
  } finally {
    clearInterval(timer);
    future?.dispose();
  }
}

function call(question: string): string {
  return `__import__('${MODULE}', fromlist=['asking']).${question}`;
}

/** No code is run: an expression is evaluated beside none, so nothing is counted, printed or named. */
function request(kernel: Kernel.IKernelConnection, expression: string): Kernel.IShellFuture<KernelMessage.IExecuteRequestMsg, KernelMessage.IExecuteReplyMsg> {
  return kernel.requestExecute({
    code: '',
    silent: true,
    store_history: false,
    allow_stdin: false,
    stop_on_error: false,
    user_expressions: { nbreg: expression }
  });
}

/** The answer in a reply. Throws a `Refusal`. */
export function answerOf(content: KernelMessage.IExecuteReplyMsg['content']): unknown {
  if (content.status !== 'ok') {
    throw new Refusal('no-answer', 'the kernel was interrupted, or a cell before failed', 'try again');
  }
  const told = content.user_expressions['nbreg'] as { data?: { [mime: string]: unknown }; ename?: string; evalue?: string } | undefined;
  const answer = told?.data?.[ANSWER_MIME];
  if (answer !== undefined) {
    return answer;
  }
  if (told?.ename === 'ModuleNotFoundError' && /'nbreg'/.test(told.evalue ?? '')) {
    throw new Refusal('no-nbreg', "nbreg is not installed in this kernel's environment", '%pip install nbreg');
  }
  if (told?.ename === 'ModuleNotFoundError' && /nbreg/.test(told.evalue ?? '')) {
    throw new Refusal('old-nbreg', "nbreg in this kernel's environment is older than this page", '%pip install --upgrade nbreg');
  }
  throw new Refusal('failed', told?.ename ? `${told.ename}: ${told.evalue ?? ''}` : 'the kernel gave no answer', 'is %load_ext nbreg fine there?');
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Refusal('aborted', 'nobody waits any more')), { once: true });
    promise.then(resolve, reject);
  });
}
