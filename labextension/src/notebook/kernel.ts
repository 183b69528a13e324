import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

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

/** Asks whatever kernel a notebook has by then: it may be another one after a restart. */
export class KernelQuestions {
  constructor(
    private readonly _context: ISessionContext,
    private readonly _trans: TranslationBundle
  ) {}

  /** The models that it holds. Rejects with a `Refusal` that says what to do. */
  holding = async (options: IAskOptions = {}): Promise<IHolding> => (await this._ask('holding()', options)) as IHolding;

  /** What a line would register. Rejects with a `Refusal`. */
  preview = async (line: string, options: IAskOptions = {}): Promise<IForetold> => (await this._ask(`preview(${literal(line)})`, options)) as IForetold;

  private async _ask(question: string, { signal, onWaiting }: IAskOptions): Promise<unknown> {
    const kernel = this._kernel();
    let future: ReturnType<typeof request> | null = null;
    const timer = setInterval(() => onWaiting?.(kernel.status === 'busy' ? 'busy' : 'starting'), PATIENCE);
    try {
      const { language_info } = await abortable(kernel.info, signal);
      if (language_info.name !== 'python') {
        throw new Refusal('no-python', this._trans.__('this kernel speaks %1', language_info.name), this._trans.__('nbreg registers what Python kernels hold'));
      }
      future = request(kernel, call(question));
      return answerOf((await abortable(future.done, signal)).content, this._trans);
    } catch (error) {
      if (error instanceof Refusal || signal?.aborted) {
        throw error;
      }
      throw new Refusal('no-answer', this._trans.__('the kernel did not answer'), this._trans.__('was it restarted? Try again'));
    } finally {
      clearInterval(timer);
      future?.dispose();
    }
  }

  private _kernel(): Kernel.IKernelConnection {
    const kernel = this._context.session?.kernel;
    if (!kernel || kernel.isDisposed || kernel.status === 'dead') {
      throw new Refusal('no-kernel', this._trans.__('this notebook has no kernel that runs'), this._trans.__('start one: Kernel → Change Kernel…'));
    }
    return kernel;
  }
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
export function answerOf(content: KernelMessage.IExecuteReplyMsg['content'], trans: TranslationBundle): unknown {
  if (content.status !== 'ok') {
    throw new Refusal('no-answer', trans.__('the kernel was interrupted, or a cell before failed'), trans.__('try again'));
  }
  const told = content.user_expressions['nbreg'] as { data?: { [mime: string]: unknown }; ename?: string; evalue?: string } | undefined;
  const answer = told?.data?.[ANSWER_MIME];
  if (answer !== undefined) {
    return answer;
  }
  const missing = told?.ename === 'ModuleNotFoundError' ? (told.evalue ?? '') : '';
  if (missing.includes("'nbreg'")) {
    throw new Refusal('no-nbreg', trans.__("nbreg is not installed in this kernel's environment"), '%pip install nbreg');
  }
  if (missing.includes('nbreg')) {
    throw new Refusal('old-nbreg', trans.__("nbreg in this kernel's environment is older than this page"), '%pip install --upgrade nbreg');
  }
  const error = told?.ename ? `${told.ename}: ${told.evalue ?? ''}` : trans.__('the kernel gave no answer');
  throw new Refusal('failed', error, trans.__('is %1 fine there?', '%load_ext nbreg'));
}

/** The same promise, which nobody waits for any more once it is called off. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    promise.then(resolve, reject);
  });
}
