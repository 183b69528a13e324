import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { JSONExt, type JSONValue } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Poll, type IPoll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';

import { CONTRACT, METHODS, NAMESPACE, type IChanges, type IGateResult, type IHello, type IRegistryInfo, type IRoutes } from './contract';

/** A route's path. */
export type Path = keyof IRoutes;

/** What a route is asked with, but for the registry, which the service knows. */
export type Asked<P extends Path> = Omit<IRoutes[P]['asked'], 'registry'>;

/** What a route answers. */
export type Answer<P extends Path> = IRoutes[P]['answer'];

/** The routes that give a file. */
export type Download = { [P in Path]: IRoutes[P]['answer'] extends Blob ? P : never }[Path];

/** What the server said instead of an answer: a fact, and the next step. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly hint: string = '',
    readonly status: number = 0,
    /** What a stage requires, where a version does not come into it. */
    readonly gates: ReadonlyArray<IGateResult> = []
  ) {
    super(message);
  }

  /** Whether somebody else was faster, so that what was meant is not what there is any more. */
  get isConflict(): boolean {
    return this.status === 409;
  }

  /** Anything that was thrown, as what can be shown. */
  static of(error: unknown): Refusal {
    return error instanceof Refusal ? error : new Refusal('failed', String((error as Error)?.message ?? error));
  }
}

/** The one place in the frontend that talks to the nbreg server. */
export class RegistryService implements IDisposable {
  constructor(private readonly _options: RegistryService.IOptions) {
    this._poll = new Poll({
      auto: false,
      factory: () => this._follow(),
      frequency: pace(_options.interval ?? 3000),
      name: 'nbreg:changes',
      standby: () => this.isIdle
    });
  }

  /** What changed in the registry, by whichever process. */
  get changed(): ISignal<this, IChanges> {
    return this._changed;
  }

  /** Another registry is the one that is asked, or what is known of it is new. */
  get registryChanged(): ISignal<this, void> {
    return this._registryChanged;
  }

  /** The registries of this server, that of the open notebook first. */
  get registries(): ReadonlyArray<IRegistryInfo> {
    return this._registries;
  }

  /** The registry that is asked. */
  get registry(): IRegistryInfo | undefined {
    return this._registries.find(each => each.key === this._key) ?? this._registries[0];
  }

  /** Who acts, as the server's `hello` says. */
  get hello(): IHello | undefined {
    return this._hello;
  }

  /** Whether nobody looks, so that nothing need be asked. */
  get isIdle(): boolean {
    return this._options.isHidden() || document.hidden;
  }

  /** Milliseconds between two questions for changes. */
  set interval(milliseconds: number) {
    this._poll.frequency = pace(milliseconds);
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  /** Whether this frontend and that server speak of the same. Rejects with a `Refusal` that says what to do. */
  async connect(): Promise<IHello> {
    const { trans } = this._options;
    const hello = await this.ask('hello', {}).catch(error => {
      const refusal = Refusal.of(error);
      throw refusal.status === 404 && refusal.code.startsWith('http')
        ? new Refusal('no-server', trans.__('the server has no nbreg extension'), trans.__('%1, then start the server anew', 'pip install nbreg'), 404)
        : refusal;
    });
    if (hello.contract !== CONTRACT) {
      throw new Refusal('other-version', trans.__('this page and nbreg %1 on the server do not fit together', hello.version), hello.hint);
    }
    this._hello = hello;
    return hello;
  }

  /** Find the registry of a notebook or folder; one that somebody chose by hand stays. */
  async near(path: string): Promise<void> {
    const question = ++this._lookups;
    this._near = path;
    const found = await this.ask('registries', { near: path });
    if (question !== this._lookups) {
      return; // another notebook was opened meanwhile
    }
    const [own, before] = [found[0]?.key, this._key];
    await this._turnTo(this._isChosen ? this._key : own, () => question === this._lookups);
    if (question !== this._lookups) {
      return;
    }
    const chosen = this.registry;
    if (this._isChosen && chosen && found.every(each => each.key !== this._key)) {
      found.push(chosen);
    }
    this._own = own;
    if (this._key !== before || !JSONExt.deepEqual(found as unknown as JSONValue, this._registries as unknown as JSONValue)) {
      this._registries = found;
      this._registryChanged.emit();
    }
  }

  /** Ask another one of the registries from now on, whatever notebook is opened; that of the notebook itself is followed again. */
  async choose(key: string): Promise<void> {
    this._isChosen = key !== this._own;
    const before = this._key;
    await this._turnTo(key);
    if (this._key !== before) {
      this._registryChanged.emit();
    }
  }

  /** Ask the registry of that id from now on. Rejects with a `Refusal` where this server opens none of it. */
  async chooseById(id: string): Promise<void> {
    const { trans } = this._options;
    const find = (): IRegistryInfo | undefined => this._registries.find(each => each.id === id);
    if (!find()) {
      await this.near(this._near); // one that was made since has an id by now
    }
    const found = find();
    if (!found) {
      throw new Refusal('another-registry', trans.__('it is in another registry, and none that this server opens'), trans.__('open it where it was made'));
    }
    await this.choose(found.key);
  }

  /** Whether a registry is known to be another one than that which is asked; one that was made only now has no id here yet. */
  isAnother(id: string): boolean {
    const asked = this.registry?.id ?? '';
    return id !== '' && asked !== '' && id !== asked;
  }

  /** Ask a route. Rejects with a `Refusal`. */
  async ask<P extends Path>(path: P, asked: Asked<P>): Promise<Answer<P>> {
    return this._ask(path, asked, this._key);
  }

  private async _ask<P extends Path>(path: P, asked: Asked<P>, registry: string | undefined): Promise<Answer<P>> {
    const { serverSettings } = this._options;
    const url = URLExt.join(serverSettings.baseUrl, NAMESPACE, path);
    const question = { ...(ABOUT_THE_SERVER.has(path) ? {} : { registry }), ...asked };
    const isGet = METHODS[path] === 'GET';
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        isGet ? url + query(question) : url,
        isGet ? { method: 'GET', cache: 'no-cache' } : { method: 'POST', body: JSON.stringify(question) },
        serverSettings
      );
    } catch {
      const { trans } = this._options;
      throw new Refusal('no-connection', trans.__('the server does not answer'), trans.__('is it still running?'));
    }
    if (!response.ok) {
      throw await refusal(response);
    }
    return (await response.json()) as Answer<P>;
  }

  /** Where a download is found, for a link. */
  link<P extends Download>(path: P, asked: Asked<P>): string {
    const { baseUrl } = this._options.serverSettings;
    return URLExt.join(baseUrl, NAMESPACE, path) + query({ registry: this._key, ...asked });
  }

  /** Ask for changes now: after an own change, and when the panel is shown. Rejects with a `Refusal`. */
  async refresh(): Promise<void> {
    if (!this.isDisposed && this._key !== undefined) {
      await this._follow();
    }
  }

  dispose(): void {
    this._poll.dispose();
    Signal.clearData(this);
  }

  /**
   * Ask that registry from now on; whoever calls says so at once. The cursor that changes are told from is taken
   * before: until a page is told of another registry, what is pressed there is about the one that it shows.
   */
  private async _turnTo(key: string | undefined, isWanted = (): boolean => true): Promise<void> {
    const turn = ++this._turns;
    if (key === this._key) {
      return;
    }
    // What cannot be followed yet says so to whoever asks it something.
    const { cursor } = await this._ask('poll', { since: '' }, key).catch(() => ({ cursor: '' }));
    if (turn === this._turns && isWanted()) {
      this._key = key;
      this._cursor = cursor;
      this._epoch += 1;
      void this._poll.start();
    }
  }

  private async _follow(): Promise<void> {
    const epoch = this._epoch;
    const isFirst = this._cursor === '';
    const changes = await this.ask('poll', { since: this._cursor });
    if (epoch !== this._epoch) {
      return; // of the registry that was asked before
    }
    this._cursor = changes.cursor;
    if (this.registry?.exists === false && changes.models.length > 0) {
      await this.near(this._near); // it was made meanwhile, and has an id now
    }
    if (!isFirst && (changes.models.length || changes.gone.length || changes.others.length || changes.all)) {
      this._changed.emit(changes);
    }
  }

  private readonly _poll: Poll;
  private readonly _changed = new Signal<this, IChanges>(this);
  private readonly _registryChanged = new Signal<this, void>(this);
  private _registries: IRegistryInfo[] = [];
  private _hello: IHello | undefined;
  private _key: string | undefined;
  /** That of the notebook. */
  private _own: string | undefined;
  private _isChosen = false;
  /** The notebook or folder that registries were looked for last. */
  private _near = '';
  private _lookups = 0;
  private _turns = 0;
  private _epoch = 0;
  private _cursor = '';
}

export namespace RegistryService {
  /** What the service is made with. */
  export interface IOptions {
    serverSettings: ServerConnection.ISettings;
    trans: TranslationBundle;
    /** Nobody looks: nothing is asked. */
    isHidden: () => boolean;
    /** Milliseconds between two questions for changes. */
    interval?: number;
  }
}

const ABOUT_THE_SERVER: ReadonlySet<Path> = new Set<Path>(['hello', 'registries']);

/** Slower and slower while the server does not answer. */
function pace(interval: number): IPoll.Frequency {
  return { interval, backoff: true, max: Math.max(60_000, interval) };
}

function query(question: object): string {
  const given = Object.entries(question).filter(([, value]) => value !== undefined && value !== '');
  return URLExt.objectToQueryString(Object.fromEntries(given.map(([name, value]) => [name, String(value)])));
}

async function refusal(response: Response): Promise<Refusal> {
  const told = (await response.json().catch(() => ({}))) as Partial<Refusal>;
  return new Refusal(
    told.code ?? `http-${response.status}`,
    told.message ?? `${response.status} ${response.statusText}`,
    told.hint ?? '',
    response.status,
    told.gates ?? []
  );
}
