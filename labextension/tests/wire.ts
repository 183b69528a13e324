import { ServerConnection } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';

import contract from '../src/contract.ts?raw';
import { RegistryService } from '../src/service';

/** A recorded answer of the real server: `tests/wire.py` writes them, and a test in Python says when they are old. */
export interface IWire {
  method: string;
  path: string;
  asked: { [name: string]: unknown };
  status: number;
  answer: any;
}

const files = import.meta.glob<IWire>('../../tests/wire/*.json', { eager: true, import: 'default' });

/** The answer of that name. */
export function wire(name: string): IWire {
  const found = files[`../../tests/wire/${name}.json`];
  if (!found) {
    throw new Error(`tests/wire has no ${name}.json`);
  }
  return found;
}

/** Every text that a recorded answer holds, names of values included. */
export function everyText(value: unknown = Object.values(files).map(each => each.answer)): string[] {
  if (typeof value === 'string') {
    return [value];
  }
  return value && typeof value === 'object' ? Object.entries(value).flatMap(([name, each]) => [...(isOurs(name) ? [] : [name]), ...everyText(each)]) : [];
}

/** Whether that is the name of a field of a record, which nobody is told, rather than one that somebody gave. */
function isOurs(name: string): boolean {
  return FIELDS.has(name);
}

const FIELDS = new Set(contract.match(/^ {2}(\w+)\??:/gm)?.map(each => each.trim().replace(/\??:$/, '')));

/** What was asked, as the server would see it. */
export interface IRequest {
  method: string;
  path: string;
  asked: { [name: string]: unknown };
}

/** A service whose server gives recorded answers, those of `instead` first; `requests` is what it was asked. */
export function recorded(instead: { [path: string]: string } = {}, options: Partial<RegistryService.IOptions> = {}): { service: RegistryService; requests: IRequest[]; answers: { [path: string]: string } } {
  const requests: IRequest[] = [];
  const answers = { ...instead };
  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    const path = url.pathname.replace('/lab/user/ada/nbreg/', '');
    const asked = request.method === 'GET' ? Object.fromEntries(url.searchParams) : await request.json();
    requests.push({ method: request.method, path, asked });
    const found = wire(answers[path] ?? path.replace('/', '-'));
    return new Response(JSON.stringify(found.answer), { status: found.status, headers: { 'Content-Type': 'application/json' } });
  };
  const serverSettings = ServerConnection.makeSettings({ baseUrl: 'http://localhost/lab/user/ada/', fetch: fetch as typeof globalThis.fetch, init: {} });
  return { service: new RegistryService({ serverSettings, trans: nullTranslator.load('nbreg'), isHidden: () => false, interval: 1_000_000, ...options }), requests, answers };
}
