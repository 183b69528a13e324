// Made by tools/contract.py from the server's records: .venv/bin/python tools/contract.py

/** The shape of all that travels; a server that says another one in `hello` does not fit. */
export const CONTRACT = 'a2abbecf00d1c379';

/** What the routes' paths begin with, below the server's base URL. */
export const NAMESPACE = 'nbreg';

/** What a model is and whose: recorded and shown. A service that knows people holds them to it. */
export interface IAbout {
  /** People and teams; nobody named means whoever made it. */
  owners: string[];
  /** Who may register, promote and delete, and not say who may. */
  editors: string[];
  /** Who may look, though it is private. */
  readers: string[];
  visibility: 'private' | 'organisation' | 'public';
  description: string;
  readme: string;
}

/** Who did it: self-asserted on a folder, and shown as such. */
export interface IActor {
  user: string;
  source: 'jupyterhub' | 'server' | 'environment' | 'system';
  host: string;
}

/** An alias that was taken away, or is protected by now, or no longer. */
export interface IAliasChanged {
  model: string;
  alias: string;
}

/** Who agreed, when, and what was said. */
export interface IApproval {
  by: string;
  at: string;
  message: string;
}

/** A request to agree to; it may expect the move that this was shown to be. */
export interface IApprove {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  /** One of the version's `moves`: it is done as it was shown, or refused as a conflict. */
  expect?: IMove | null;
  request: string;
}

/** A named object, file or folder of a version; the one called `model` is the model. */
export interface IArtifact {
  name: string;
  kind: 'object' | 'file' | 'folder';
  /** The family that wrote it and can read it (`generic`, `sklearn`, `files` …). */
  family: string;
  /** The family's name for the form of the bytes (`pickle5`, `cloudpickle5`, `raw` …). */
  form: string;
  /** The object's class, as `module.qualname`. */
  type: string;
  /** Digest of the object by value; equal objects have equal tokens, whatever their bytes. */
  token: string;
  /** An object's stream first, then its buffers, in the order the stream asks for them. */
  chunks: IChunk[];
  files: IFileEntry[];
  /** What reading the stream would import, as `module.name`. */
  globals: string[];
  /** What the family adds for its own reader. */
  facts: { [name: string]: unknown };
}

/** A version, and where it is to go. */
export interface IAsk {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  ref: string;
  to: string;
}

/** What every route may be asked with. */
export interface IAsked {
}

/** A model, and the form of the file. */
export interface IAudit {
  /** A `key` of `registries`. */
  registry?: string;
  model: string;
  form?: 'html' | 'md';
  /** Whether every byte is read anew first. */
  verify?: boolean;
}

/**
 * One part of the capture: its bytes by digest, or why there are none.
 *
 * `summary` holds the few facts that a card shows without reading the part.
 */
export interface ICaptured {
  digest: string;
  size: number;
  summary: { [name: string]: unknown };
  missing: string;
}

/** What changed in a registry since a cursor; the next question takes this cursor. */
export interface IChanges {
  cursor: string;
  /** Whether `models` are all that there are: the cursor was none, or of before a restart. */
  all: boolean;
  models: IModelRow[];
  /** Models whose folder was taken away. */
  gone: string[];
  /** Which of `registry` (its rules), `runs`, `drafts` and `data` have something new. */
  others: string[];
}

/** A run of bytes, named by its sha256. */
export interface IChunk {
  digest: string;
  size: number;
}

/** One column of a data set: its content by digest, and a sketch of its values. */
export interface IColumn {
  name: string;
  dtype: string;
  digest: string;
  nulls: number;
  /** How many values differ; None where they are more than a sketch counts. */
  distinct: number | null;
  min: null | boolean | number | string | unknown[] | { [name: string]: unknown };
  max: null | boolean | number | string | unknown[] | { [name: string]: unknown };
  mean: number | null;
  /** The most frequent values of text, each with its count. */
  top: unknown[][];
  /** Where the bins of numbers begin, from the lowest to the highest; the last one has no end. */
  edges: number[];
  /** How many of the numbers that were looked at each bin holds. */
  counts: number[];
  /** Why nothing of the values is recorded; then there is no digest of them either. */
  withheld: string;
}

/** A version, and what the copy shall be called. */
export interface ICopy {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  ref: string;
  to?: string | null;
  version?: string | null;
  description?: string | null;
  tags?: string[] | null;
  content?: { [name: string]: unknown } | null;
  force?: boolean;
}

/** A metric of a run over its steps. */
export interface ICurve {
  /** A `key` of `registries`. */
  registry?: string;
  run: string;
  metric: string;
  points?: number;
}

/** One or several values of a metric: the last of them, and the least and the greatest. */
export interface ICurvePoint {
  step: number;
  value: number | string;
  low: number | string;
  high: number | string;
}

/** The data sets, the files read on the way, and how they overlap. */
export interface IData {
  sets: IDataLink[];
  /** The columns of each set, by the set's name. */
  columns: { [name: string]: IColumn[] };
  /**
   * Files that the recipe's cells read: path, size, time, digest and how much of the file that covers,
   * or `changed`, where it is another one now.
   */
  files: { [name: string]: unknown }[];
  overlaps: { [name: string]: unknown }[];
  /** The version of the feature set: a digest of the names, types and order of what goes in. */
  feature_set: string;
}

/** Data that the model saw, by content. */
export interface IDataLink {
  name: string;
  /** `train`, `validation` or `test`. */
  role: string;
  /** Digest of the content; empty where it is not known any more. */
  snapshot: string;
  /**
   * Kind, shape, bytes, and how much of it was digested; of inferred data also whether it is the `target`,
   * went in in `part` only, was `asked` about too, and whether it changed `since`.
   */
  summary: { [name: string]: unknown };
  /** Worked out from the cells, and no part of what makes content equal. */
  inferred: boolean;
  /** The data set that the caller said it is a version of. */
  dataset: string;
  /** Where it comes from, as the caller said it. */
  origin: string;
}

/** A version to hide. */
export interface IDelete {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  ref: string;
  include_protected?: boolean;
}

/** When, by whom and why a version was hidden. */
export interface IDeletion {
  at: string;
  by: string;
  reason: string;
}

/** A version, and where it is at work. */
export interface IDeployAt {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  ref: string;
  where: string;
  url?: string;
  status?: 'pending' | 'serving' | 'failed';
  /** Whether what is there already stays. */
  alongside?: boolean;
}

/** A version at work somewhere, as people or pipelines report it: nbreg does not deploy. */
export interface IDeployment {
  /** The line of the model's journal that began it. */
  id: number;
  model: string;
  number: number;
  /** The version's id, which never means another one. */
  version_id: string;
  where: string;
  status: 'pending' | 'serving' | 'failed' | 'ended';
  url: string;
  since: string;
  by: string;
  reason: string;
  message: string;
  ended: string;
  ended_by: string;
  /** The version that took its place. */
  replaced_by: number | null;
}

/** The deployments of a model, or of all; with `ended` also those that were. */
export interface IDeployments {
  /** A `key` of `registries`. */
  registry?: string;
  model?: string;
  ended?: boolean;
}

/** What differs between two versions, from `before` to `after`; `after` may be a live object. */
export interface IDiff {
  before: IDiffSide;
  after: IDiffSide;
  bump: 'major' | 'minor' | 'patch' | null;
  bump_reason: string;
  /** The name that a live object would get if it were registered now. */
  name: string;
  /** The version that the step is counted from, where that is not `before`. */
  counted_from: string;
  /** A draft of what to say when it is registered. */
  message: string;
  sections: IDiffSection[];
}

/** One thing that two versions have, and how it differs. */
export interface IDiffItem {
  name: string;
  kind: 'changed' | 'added' | 'removed' | 'same';
  before: null | boolean | number | string | unknown[] | { [name: string]: unknown };
  after: null | boolean | number | string | unknown[] | { [name: string]: unknown };
  /** Of two numbers: after minus before. */
  delta: number | null;
  note: string;
  /** Of two texts: what differs, each line with the sign of a unified diff before it. */
  lines: string[];
}

/** One aspect of two versions. */
export interface IDiffSection {
  name: string;
  /** What differs; all that there is where everything was asked for. */
  items: IDiffItem[];
  /** How many things are the same, named in `items` or not. */
  same: number;
  /** Why this was not compared; then nothing is said to be the same. */
  missing: string;
  note: string;
}

/** One of the two that are compared. */
export interface IDiffSide {
  /** What was asked for, as it was written, and what it was taken for. */
  said: string;
  /** The version; empty for a live object. */
  ref: string;
  number: number | null;
  stage: string;
}

/** One installed distribution and where it came from. */
export interface IDistribution {
  name: string;
  version: string;
  origin: 'index' | 'editable' | 'vcs' | 'local' | 'conda' | 'unknown';
  url: string;
  commit: string;
  imported: boolean;
  /** Whether this model needs it; None where that was not found out. */
  needed: boolean | null;
}

/** The drafts, newest first. */
export interface IDraftPage {
  drafts: IDraftRecord[];
}

/** A model that a kernel has seen trained and nobody has registered yet. */
export interface IDraftRecord {
  number: number;
  /** The name that it was bound to. */
  variable: string;
  type: string;
  at: string;
  actor: string;
  /** `execution_count`, `cell_id` and, where it failed, the class of the `error`. */
  cell: { [name: string]: unknown };
  notebook: string;
  run: IRunLink | null;
  /** Those that were chosen, rather than left at their defaults; the manifest has all. */
  params: { [name: string]: unknown };
  /** Numbers that the cell set and that are named as metrics are. */
  metrics: { [name: string]: number };
  /** Bytes of the model; where it was not kept, about. */
  size: number;
  token: string;
  /** Why its weights are not kept; empty where they are. */
  why: string;
}

/** An alias to take away. */
export interface IDropAlias {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  model: string;
  alias: string;
  force?: boolean;
}

/** A gate, named as `gates` lists it; that needs a reason. */
export interface IDropGate {
  /** A `key` of `registries`. */
  registry?: string;
  reason: string;
  message?: string;
  model: string;
  stage: string;
  gate: string;
}

/** What leads to what, in the order of time: `source` came first. */
export interface IEdge {
  source: string;
  target: string;
  /**
   * `trained-on`, `judged-on`, `features`, `code`, `made-by`, `derived-from` before it; after it
   * `derived-from`, `holds`, `deployed-at`, `linked` and `decided`.
   */
  kind: string;
}

/** Where the model was made: interpreter, machine, and every installed distribution. */
export interface IEnvironment {
  python: { [name: string]: string };
  os: { [name: string]: string };
  cpu: { [name: string]: unknown };
  accelerators: { [name: string]: unknown }[];
  /** BLAS, OpenMP and CUDA libraries with their thread counts. */
  numerics: { [name: string]: unknown };
  locale: { [name: string]: string };
  /** Environment variables by allow-list. */
  variables: { [name: string]: string };
  distributions: IDistribution[];
  /** What conda installed, Python or not, as `channel::name=version=build`. */
  conda: string[];
}

/** One accepted change of a model, as its journal line tells it. */
export interface IEvent {
  model: string;
  seq: number;
  at: string;
  by: IActor;
  kind: string;
  reason: string;
  message: string;
  number: number | null;
  facts: { [name: string]: unknown };
}

/** What happened, newest first; `more` says that older ones come after them. */
export interface IEventPage {
  events: IEvent[];
  more: boolean;
}

/** The newest events, of one model or of all. */
export interface IEvents {
  /** A `key` of `registries`. */
  registry?: string;
  model?: string;
  /** A day, or a moment. */
  since?: string;
  limit?: number;
}

/**
 * What was found out about a version after it was made; its manifest stays as it is.
 *
 * `equal` and `equivalent` (equal within rounding) compare with the outputs that the version
 * has on its probe; `loads` had none to compare with; `failed` says why.
 */
export interface IEvidence {
  kind: 'proof';
  verdict: 'equal' | 'equivalent' | 'different' | 'loads' | 'failed';
  why: string;
  /** How long loading and predicting took in the clean process, its imports included. */
  seconds: number;
  /** The most memory that the process held. */
  peak_bytes: number;
  rows: number;
  /** How many of those rows have another output. */
  changed: number;
  max_delta: number | null;
  /** The outputs on the probe, where registering had left them to evidence. */
  outputs: IChunk[];
  /** How sure a classifier is of each class, on the same rows. */
  chances: IChunk[];
  /** The object that holds them. */
  bundle: string;
  at: string;
  by: string;
  python: string;
}

/** One run of one cell, with its source as executed. */
export interface IExecution {
  source: string;
  execution_count: number | null;
  started_at: string;
  seconds: number | null;
  ok: boolean | null;
  /** The class of the exception; never its text, which may hold values. */
  error: string;
  cell_id: string;
  /** False where it is known from IPython's history only. */
  seen: boolean;
  /** Why the recipe keeps it. */
  why: string;
  /** Digest by value of each name that it wrote. */
  tokens: { [name: string]: string };
}

/** One file of an artifact; `path` is relative, with `/`, and never leaves its folder. */
export interface IFileEntry {
  path: string;
  digest: string;
  size: number;
  executable: boolean;
}

/** What a line would register, or why it would be refused. */
export interface IForetold {
  /** Names and what is said of them. */
  facts: string[][];
  tables: IShownTable[];
  gaps: string[];
  refusal: string;
}

/** What came out when a gate was asked; it stands in the event of the move. */
export interface IGateResult {
  gate: string;
  passed: boolean;
  /** Why not. */
  why: string;
  saw: { [name: string]: unknown };
  /** Required by the registry, declared in this process for the stage, or given in the call. */
  source: 'required' | 'process' | 'call';
  /**
   * `overruled` was not asked, since the move was forced; `unasked` is a function that was not run yet,
   * and stands in no event.
   */
  state: 'asked' | 'unavailable' | 'overruled' | 'unasked';
  /** The function's text, by digest. */
  digest: string;
  seconds: number;
}

/** The gates of a model, or of all models; of one stage, or of all. */
export interface IGates {
  /** A `key` of `registries`. */
  registry?: string;
  model?: string;
  stage?: string;
}

/** The project's git state, the registry's own folder left out. */
export interface IGit {
  commit: string;
  branch: string;
  dirty: boolean | null;
  changed: string[];
  remotes: { [name: string]: string };
  /** What stands uncommitted in tracked text files, without notebooks; it may be cut, and says so. */
  diff: string;
}

/** The end of a journal's chain. */
export interface IHead {
  seq: number;
  hash: string;
}

/** Who held a stage of a model, back to a line of its journal. */
export interface IHeld {
  /** A `key` of `registries`. */
  registry?: string;
  model: string;
  stage?: string | null;
  since?: number;
}

/** A variable of a kernel that holds a model. */
export interface IHeldModel {
  variable: string;
  /** Its class, as `module.qualname`. */
  type: string;
  fitted: boolean;
  /** Whether it is the one that was trained last. */
  last: boolean;
  /** The version that has the same content, by number; empty where there is none. */
  ref: string;
  /** That version as people call it. */
  name: string;
  /** Why it was not found out whether it is registered. */
  unknown: string;
}

/** Who answers: a frontend whose `CONTRACT` is another one says `hint` and does nothing else. */
export interface IHello {
  version: string;
  contract: string;
  hint: string;
  /** Who acts through this server, as events will tell it. */
  actor: IActor;
  /** Whether what is about all models at once is theirs to do. */
  admin: boolean;
}

/** A page of what happened to a model. */
export interface IHistory {
  /** A `key` of `registries`. */
  registry?: string;
  model: string;
  /** Only what happened to versions that it chooses. */
  query?: string;
  /** Only what happened to this version. */
  number?: number | null;
  /** The `rest` of the page before. */
  before?: number;
  limit?: number;
}

/** What a kernel has to register, and what its registry has already. */
export interface IHolding {
  /** Whether nbreg is loaded there; else only the variables are told. */
  loaded: boolean;
  registry: string;
  models: IHeldModel[];
  /** The names of the models that there are. */
  known: string[];
  stages: string[];
  /** Variables that may be metrics, likely ones first. */
  numbers: string[];
  /** Why the registry cannot be read, and what next. */
  refusal: string;
}

/** The stages of a registry and the rules between them. */
export interface ILifecycle {
  /** From the lowest to the highest; the first is where versions begin, the last is retired. */
  stages: string[];
  /** Stages with one holder; the one it had goes to the last stage. */
  single: string[];
  gates: { [name: string]: { [name: string]: unknown }[] };
}

/** Where a version comes from and what became of it, as a graph. */
export interface ILineage {
  ref: string;
  nodes: INode[];
  edges: IEdge[];
}

/** Something outside that belongs to a version: a ticket, a report, a business case. */
export interface ILink {
  id: number;
  /** A URL, or any text. */
  target: string;
  kind: string;
  title: string;
  at: string;
  by: string;
}

/** A version, and something outside that belongs to it. */
export interface ILinkTo {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  ref: string;
  target: string;
  kind?: string;
  title?: string;
}

/**
 * A version as it was made: its artifacts and all that was captured, by digest.
 *
 * The `id` of the version is the sha256 of this document's canonical bytes. Model, number,
 * name, stage, tags, description and message are not in it: they are rows of the journal, so
 * a copy in another model or registry keeps its id.
 */
export interface IManifest {
  format: number;
  created: string;
  actor: IActor;
  content_digest: string;
  artifacts: IArtifact[];
  params: { [name: string]: unknown };
  metrics: { [name: string]: number };
  content: { [name: string]: unknown };
  parent: string;
  run: IRunLink | null;
  /** Data that the caller named, which is part of what makes content equal; and data that was inferred. */
  links: IDataLink[];
  environment: ICaptured;
  variables: ICaptured;
  recipe: ICaptured;
  source: ICaptured;
  data: ICaptured;
  signature: ICaptured;
  probe: ICaptured;
  notebook: ICaptured;
  /**
   * What the model's family tells of it: framework, architecture, feature names.
   *
   * Unset, and not in the document, where nothing was asked: the ids of earlier releases stay.
   */
  described?: { [name: string]: unknown };
  /** Of a version that was a draft first: which one, and the cell that trained it. Unset for all others. */
  draft?: { [name: string]: unknown };
  /** Fields that nbreg worked out, rather than was told. */
  inferred: string[];
  /** How many secrets were withheld, by kind. */
  redactions: { [name: string]: number };
  warnings: string[];
  tool: string;
}

/** A model, with all that leads to its versions. */
export interface IModelDetail {
  model: IModelRow;
  /** The head of its journal. */
  seq: number;
  aliases: { [name: string]: number };
  /** Aliases that move only by force. */
  protected: { [name: string]: IProtection };
  about: IAbout;
  /** What whoever asks may do with it: what is not theirs the registry refuses. */
  may: 'look' | 'change' | 'own';
  /** How its traffic is shared out; None where nobody said. */
  split: ISplitRow | null;
}

/** Some of the models, and where the next question for changes begins. */
export interface IModelPage {
  models: IModelRow[];
  /** How many there are with such a name, on this page or not. */
  total: number;
  cursor: string;
}

/** A model in brief. Each journal line carries it, so a list reads only last lines. */
export interface IModelRow {
  name: string;
  created: string;
  next_number: number;
  versions: number;
  deleted: number;
  latest: number | null;
  latest_name: string | null;
  /** The highest semantic version not deleted. */
  highest: string;
  highest_number: number | null;
  stages: { [name: string]: number };
  at: string;
}

/** What a model's versions take up. */
export interface IModelUsage {
  model: string;
  versions: number;
  /** Bytes of all that its versions are made of, what they share counted once. */
  size: number;
  /** The part of `size` that no other model refers to. */
  own: number;
}

/** A page of models. */
export interface IModels {
  /** A `key` of `registries`. */
  registry?: string;
  /** Part of a name. */
  match?: string;
  limit?: number;
  offset?: number;
}

/**
 * What promoting, retiring or rolling back would do, as things stand.
 *
 * Given back as `expect`, it is done as it was foreseen or not at all.
 */
export interface IMove {
  kind: 'promoted' | 'retired' | 'rolled-back';
  model: string;
  number: number;
  name: string | null;
  before: string;
  to: string;
  /** The version that holds `to` now and goes out of use for this one. */
  displaced: number | null;
  displaced_name: string | null;
  displaced_to: string;
}

/** A question for the registries. */
export interface INear {
  /** A notebook or folder, as the contents API names it: its registry is listed first. */
  near?: string;
}

/** The newest versions of a model, for a plot. */
export interface INewest {
  /** A `key` of `registries`. */
  registry?: string;
  model: string;
  limit?: number;
}

/** One thing in a version's lineage. */
export interface INode {
  /** Unique in the lineage, and the same each time it is asked for. */
  id: string;
  kind: 'data' | 'feature-set' | 'code' | 'run' | 'parent' | 'version' | 'child' | 'stage' | 'deployment' | 'link' | 'decisions';
  label: string;
  /** What to ask the registry for: a version, a run's id, `dataset@number`; else a digest or a URL. */
  ref: string;
  note: string;
}

/** A question to one registry. */
export interface IOfRegistry {
  /** A `key` of `registries`. */
  registry?: string;
}

/** A run to hide or to bring back. */
export interface IOnRun {
  /** A `key` of `registries`. */
  registry?: string;
  run: string;
  reason?: string;
}

/** An alias of a model, which need not be there yet. */
export interface IOneAlias {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  model: string;
  alias: string;
}

/** A data set by its name; of `customers@2` it is the whole series, too. */
export interface IOneDataset {
  /** A `key` of `registries`. */
  registry?: string;
  data: string;
}

/** A question about a model. */
export interface IOneModel {
  /** A `key` of `registries`. */
  registry?: string;
  model: string;
}

/** A request by its id, such as `churn:r3`. */
export interface IOneRequest {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  request: string;
}

/** A question about a run; 8 digits of its id are enough. */
export interface IOneRun {
  /** A `key` of `registries`. */
  registry?: string;
  run: string;
}

/** A question about a version. */
export interface IOneVersion {
  /** A `key` of `registries`. */
  registry?: string;
  ref: string;
}

/** Where a version was made: the notebook, and its last cell that ran by then. */
export interface IOrigin {
  /** As the contents API names it; empty where this server cannot open it. */
  notebook: string;
  /** As the version has it. */
  told: string;
  cell_id: string;
  execution_count: number | null;
  /** As it was executed, without secrets. */
  source: string;
  /** Why there is no way there. */
  why: string;
}

/** A frozen sample of the input, and the outputs on it. */
export interface IProbe {
  inputs: IChunk[];
  outputs: IChunk[];
  summary: { [name: string]: unknown };
}

/** Something that is not as the registry promises, and where. */
export interface IProblem {
  code: string;
  where: string;
  message: string;
}

/** A version, and the stage that it goes to; without one it goes one up. */
export interface IPromote {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  /** One of the version's `moves`: it is done as it was shown, or refused as a conflict. */
  expect?: IMove | null;
  ref: string;
  to?: string | null;
  /** Overrule the gates, with a reason. */
  force?: boolean;
}

/** A request as it is now. `id` is what `approve` and `reject` take. */
export interface IPromotionRequest {
  id: string;
  model: string;
  version: number;
  name: string;
  to: string;
  by: string;
  at: string;
  reason: string;
  message: string;
  state: 'open' | 'promoted' | 'rejected' | 'withdrawn' | 'stale';
  approvals: IApproval[];
  closed: IApproval | null;
  /** Of an open one that was just asked for or approved: what is missing before it is promoted. */
  needs: string[];
  /** Why it is stale. */
  why: string;
}

/** An alias that moves only by force: who said so, and why. */
export interface IProtection {
  by: string;
  at: string;
  reason: string;
}

/** The executions the model depends on, and the whole history beside them. */
export interface IRecipe {
  status: 'verified' | 'complete' | 'conservative' | 'incomplete';
  reasons: string[];
  state: { [name: string]: unknown };
  /** Those it depends on, in executed order, each with why. */
  cells: IExecution[];
  /** All that ran; empty where `cells` are all that ran. */
  history: IExecution[];
}

/** What every answer but a good one holds; `message` is the key that Jupyter's own frontend reads. */
export interface IRefusal {
  code: string;
  message: string;
  hint: string;
  /** Where a version does not come into a stage: all gates that were asked, with what each saw. */
  gates: IGateResult[];
}

/** A version as it is now, and the line of the journal that it came with. */
export interface IRegistered {
  seq: number;
  version: IVersionRow;
}

/** A registry that this server opens; `key` is what every other route takes as `registry`. */
export interface IRegistryInfo {
  key: string;
  title: string;
  location: string;
  /** False until the first write; then its lists are empty. */
  exists: boolean;
  writable: boolean;
  /** Why it cannot be written, or cannot be opened at all. */
  why: string;
  id: string;
  lifecycle: ILifecycle;
}

/** The requests of a model, or of all; in one state, or in all. */
export interface IRequests {
  /** A `key` of `registries`. */
  registry?: string;
  model?: string;
  state?: '' | 'open' | 'stale' | 'promoted' | 'rejected' | 'withdrawn';
}

/** Gates of a stage, as queries or rules; of all models where `model` is `*`. */
export interface IRequire {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  model: string;
  stage: string;
  gates: string[];
}

/** One gate of a stage, as it is listed. */
export interface IRequiredGate {
  stage: string;
  gate: string;
  /** The model, or `*`: all models. */
  scope: string;
  /** Why this process cannot ask it; then it refuses. */
  unavailable: string;
}

/** A deleted version, by its number or name. */
export interface IRestore {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  ref: string;
}

/** A version, and where it goes; without a stage it goes out of use. */
export interface IRetire {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  /** One of the version's `moves`: it is done as it was shown, or refused as a conflict. */
  expect?: IMove | null;
  ref: string;
  to?: string | null;
  force?: boolean;
}

/** A model, the stage, and the version to go back to, if it is not the one before. */
export interface IRollback {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  /** One of the version's `moves`: it is done as it was shown, or refused as a conflict. */
  expect?: IMove | null;
  model: string;
  stage?: string | null;
  to?: string | null;
}

/** An object or file that a run logged, with what was captured beside it. */
export interface IRunArtifact {
  name: string;
  kind: 'object' | 'file' | 'folder';
  type: string;
  size: number;
  framework: string;
  at: string;
  /** The object that holds the manifest; the manifest names the rest. */
  bundle: string;
  /** The digest of a manifest, as a version made of it would have it. */
  manifest: string;
  /** The signature of the user who logged it: what another user logged is not vouched for. */
  stamp: string;
}

/** The run that produced a version. */
export interface IRunLink {
  id: string;
  name: string;
  experiment: string;
  kind: 'notebook' | 'script' | 'pipeline';
  started_at: string;
  /** The run that this one was started in. */
  parent: string;
  /** The run's file as it was when the version locked it, in pieces. */
  chunks: IChunk[];
  /** Why the run's file is not locked. */
  missing: string;
}

/** Some runs, newest first. */
export interface IRunPage {
  runs: IRunRecord[];
  more: boolean;
}

/** One execution of training: what went in, what came out of it, and how it ended. */
export interface IRunRecord {
  id: string;
  name: string;
  experiment: string;
  kind: 'notebook' | 'script' | 'pipeline';
  parent: string;
  state: 'running' | 'finished' | 'failed' | 'interrupted';
  /** The class of the exception that ended it; never its text, which may hold values. */
  error: string;
  started_at: string;
  ended_at: string;
  actor: IActor;
  /** The notebook or script. */
  place: string;
  commit: string;
  python: string;
  params: { [name: string]: unknown };
  /** The last value of each metric. */
  metrics: { [name: string]: number | string };
  /** How many values of each metric there are. */
  counts: { [name: string]: number };
  artifacts: IRunArtifact[];
  notes: string[];
  versions: IRunVersion[];
  deleted: IDeletion | null;
}

/** A version that was registered from a run. */
export interface IRunVersion {
  model: string;
  number: number;
  name: string | null;
  id: string;
  metrics: { [name: string]: number };
}

/** A page of runs. */
export interface IRuns {
  /** A `key` of `registries`. */
  registry?: string;
  query?: string;
  experiment?: string;
  sort?: string;
  limit?: number;
  offset?: number;
  /** Also those that were deleted. */
  deleted?: boolean;
}

/** A page of the versions of all models that a query chooses. */
export interface ISearch {
  /** A `key` of `registries`. */
  registry?: string;
  query: string;
  limit?: number;
  offset?: number;
  deleted?: boolean;
}

/** A version, and the alias that shall point to it. */
export interface ISetAlias {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  ref: string;
  alias: string;
  /** Also one that is protected, with a reason. */
  force?: boolean;
}

/** How a model's traffic is shared out: shares of 1 or of 100 by reference; None ends it. */
export interface ISetSplit {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  model: string;
  weights?: { [name: string]: number } | null;
}

/** A table as text. */
export interface IShownTable {
  title: string;
  columns: string[];
  rows: string[][];
  more: string;
}

/** Names, types and shapes of the model's inputs and outputs. */
export interface ISignature {
  inputs: { [name: string]: unknown }[];
  outputs: { [name: string]: unknown }[];
  inferred: boolean;
}

/** A question for what is new. */
export interface ISince {
  /** A `key` of `registries`. */
  registry?: string;
  /** The cursor of the answer before. */
  since?: string;
}

/** One version of a data set: its content by digest, and where it was said to come from. */
export interface ISnapshot {
  dataset: string;
  number: number;
  snapshot: string;
  at: string;
  by: string;
  /** Paths, URLs or the text of a query, as people gave them; nothing of it was looked at. */
  origins: string[];
  /** Kind, shape, bytes, and how much of it was digested. */
  summary: { [name: string]: unknown };
}

/** The code beside the cells: git state, the script, local modules. */
export interface ISource {
  git: IGit | null;
  /** Why there is no git state. */
  git_missing: string;
  script: string;
  argv: string[];
  notebook: string;
  /** Imported modules that are neither installed nor Python's own, by name, as their files are now. */
  modules: { [name: string]: string };
  /** Modules whose file has been changed since they were imported: what ran is not what stands above. */
  edited: string[];
  /** Classes and functions that cells defined, by name. */
  definitions: { [name: string]: string };
}

/** How a model's traffic is shared out: references without the model, and their shares of 1. */
export interface ISplitRow {
  weights: { [name: string]: number };
  at: string;
  by: string;
}

/** The time that a version held a stage, in lines of the journal. */
export interface ITenure {
  number: number;
  name: string | null;
  since: number;
  /** None while it holds the stage. */
  until: number | null;
}

/** A page of what happened to a model, newest first. */
export interface ITimeline {
  items: ITimelineItem[];
  /** The line to go on before; 0 where nothing older is left. */
  rest: number;
}

/** One line of a model's journal, with the version it is about as that is now. */
export interface ITimelineItem {
  event: IEvent;
  version: IVersionRow | null;
}

/** Data by its name, `customers@2`, or by its content, `sha256:…`. */
export interface ITrainedOn {
  /** A `key` of `registries`. */
  registry?: string;
  data: string;
}

/** A version, and the model that it goes to. */
export interface ITransfer {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  ref: string;
  to: string;
  version?: string | null;
}

/** Two versions; without `b` it is the model's production, else its latest. */
export interface ITwo {
  /** A `key` of `registries`. */
  registry?: string;
  a: string;
  b?: string;
  /** What is the same, too. */
  everything?: boolean;
}

/** A version, and where it is at work no longer. */
export interface IUndeploy {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  ref: string;
  where: string;
}

/** A link of a version, by its target or id. */
export interface IUnlink {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  ref: string;
  target: string | number;
}

/** What may change of a version; what is not given stays. */
export interface IUpdate {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  ref: string;
  description?: string | null;
  tags?: string[] | null;
  content?: { [name: string]: unknown } | null;
  metrics?: { [name: string]: number } | null;
}

/** What is said of a model; what is not given stays. */
export interface IUpdateModel {
  /** A `key` of `registries`. */
  registry?: string;
  reason?: string;
  message?: string;
  model: string;
  owners?: string[] | null;
  editors?: string[] | null;
  readers?: string[] | null;
  visibility?: 'private' | 'organisation' | 'public' | null;
  description?: string | null;
  readme?: string | null;
  /** Also where whoever says it would be no owner any more, with a reason. */
  force?: boolean;
}

/** What a registry takes up on disk. */
export interface IUsage {
  models: IModelUsage[];
  objects: number;
  size: number;
  journals: number;
  unreferenced: number;
  /** Bytes of the runs' files. */
  runs: number;
  /** Bytes of the ledger of decisions, with its indexes. */
  decisions: number;
}

/** One name of the namespace: its value where it is small and plain, else a summary. */
export interface IVariable {
  name: string;
  type: string;
  value: unknown;
  summary: { [name: string]: unknown };
  /** Why the value is withheld; then neither value nor summary nor digest is recorded. */
  redacted: string;
}

/** The kernel's names, bounded in number and bytes. */
export interface IVariables {
  variables: IVariable[];
  left_out: number;
  reason: string;
}

/** What `verify` found; the heads are what to write down and `--expect` next time. */
export interface IVerifyReport {
  heads: { [name: string]: IHead };
  versions: number;
  objects: number;
  bytes: number;
  problems: IProblem[];
  repaired: string[];
}

/** All there is to say about a version; what its `manifest` points at has routes of its own. */
export interface IVersionDetail {
  item: IVersionItem;
  /** The reference that never moves. */
  pinned: string;
  manifest: IManifest | null;
  /** Why there is no manifest: it was purged, or is damaged. */
  missing: string;
  /** What may be done with it from where it is, and what that would do; a move may `expect` one of them. */
  moves: IMove[];
  links: ILink[];
  deployments: IDeployment[];
}

/** A version as lists show it. */
export interface IVersionItem {
  model: string;
  /** The shortest reference that means it. */
  ref: string;
  version: IVersionRow;
  aliases: string[];
  proof: IEvidence | null;
}

/** Some versions; `more` says that others come after them. */
export interface IVersionPage {
  versions: IVersionItem[];
  more: boolean;
}

/** All of a version that can change, and the little of it that every list shows. */
export interface IVersionRow {
  number: number;
  name: string | null;
  id: string;
  content_digest: string;
  /** The object that holds the manifest; the manifest names the rest. */
  bundle: string;
  stage: string;
  tags: string[];
  description: string;
  message: string;
  metrics: { [name: string]: number };
  /** Replaces the manifest's content where it was updated. */
  content: { [name: string]: unknown } | null;
  created: string;
  actor: string;
  type: string;
  size: number;
  bump: 'major' | 'minor' | 'patch' | null;
  bump_reason: string;
  base: number | null;
  run: string;
  /** The signature of the user who registered it, by that user's own key. */
  stamp: string;
  stages_held: string[];
  superseded_name: string;
  deleted: IDeletion | null;
  purged: string;
  /** Where a transfer took it from, as `model@number#transfer`. */
  moved_from: string;
  /** Where a transfer took it, as `model@number`; it is hidden here, and not to be restored. */
  moved_to: string;
  /** The annotated tag that was made for it. */
  git_tag: string;
  /** What was doubtful about how it was registered, known only when it got its number and name. */
  warnings: string[];
}

/** A page of a model's versions. */
export interface IVersions {
  /** A `key` of `registries`. */
  registry?: string;
  model: string;
  query?: string;
  /** A field or `metrics.NAME`, `-` before it for descending; else newest first. */
  sort?: string;
  limit?: number;
  offset?: number;
  deleted?: boolean;
}

/** Each route by its path: what it is asked with and what it answers. */
export interface IRoutes {
  /** Who answers, under which contract, and what to do where the frontend has another one. */
  hello: { method: 'GET'; asked: IAsked; answer: IHello };
  /** The registries that this server opens; that of the notebook or folder `near` is the first. */
  registries: { method: 'GET'; asked: INear; answer: IRegistryInfo[] };
  /** The models that changed since a cursor, by whichever process. */
  poll: { method: 'GET'; asked: ISince; answer: IChanges };
  /** The models, by name. */
  models: { method: 'GET'; asked: IModels; answer: IModelPage };
  /** A model: how many versions, who holds which stage, where its aliases point. */
  model: { method: 'GET'; asked: IOneModel; answer: IModelDetail };
  /** A model's versions, newest first or sorted, those that a query chooses. */
  versions: { method: 'GET'; asked: IVersions; answer: IVersionPage };
  /** The versions of all models that a query chooses. */
  search: { method: 'GET'; asked: ISearch; answer: IVersionPage };
  /** All there is to say about a version. */
  version: { method: 'GET'; asked: IOneVersion; answer: IVersionDetail };
  /** The environment of a version, as captured; empty where the manifest says why. */
  'version/environment': { method: 'GET'; asked: IOneVersion; answer: IEnvironment };
  /** The variables of a version, as captured; empty where the manifest says why. */
  'version/variables': { method: 'GET'; asked: IOneVersion; answer: IVariables };
  /** The recipe of a version, as captured; empty where the manifest says why. */
  'version/recipe': { method: 'GET'; asked: IOneVersion; answer: IRecipe };
  /** The source of a version, as captured; empty where the manifest says why. */
  'version/source': { method: 'GET'; asked: IOneVersion; answer: ISource };
  /** The data of a version, as captured; empty where the manifest says why. */
  'version/data': { method: 'GET'; asked: IOneVersion; answer: IData };
  /** The signature of a version, as captured; empty where the manifest says why. */
  'version/signature': { method: 'GET'; asked: IOneVersion; answer: ISignature };
  /** The probe of a version, as captured; empty where the manifest says why. */
  'version/probe': { method: 'GET'; asked: IOneVersion; answer: IProbe };
  /** The notebook and the cell that made a version. */
  'version/origin': { method: 'GET'; asked: IOneVersion; answer: IOrigin };
  /** What differs from `b` to `a`. */
  diff: { method: 'GET'; asked: ITwo; answer: IDiff };
  /** What happened, newest first. */
  events: { method: 'GET'; asked: IEvents; answer: IEventPage };
  /** What happened to a model, newest first, each with its version as that is now. */
  timeline: { method: 'GET'; asked: IHistory; answer: ITimeline };
  /** The newest versions of a model, oldest first, each with the line that it came with. */
  registered: { method: 'GET'; asked: INewest; answer: IRegistered[] };
  /** Who held a stage from when to when, newest first. */
  tenures: { method: 'GET'; asked: IHeld; answer: ITenure[] };
  /** Where a version comes from and what became of it, as nodes and edges. */
  lineage: { method: 'GET'; asked: IOneVersion; answer: ILineage };
  /** What is at work, by model and place, as people and pipelines said. */
  deployments: { method: 'GET'; asked: IDeployments; answer: IDeployment[] };
  /** The data sets that were named, the newest content of each. */
  datasets: { method: 'GET'; asked: IOfRegistry; answer: ISnapshot[] };
  /** The contents that a data set had, newest first. */
  dataset: { method: 'GET'; asked: IOneDataset; answer: ISnapshot[] };
  /** The versions that used some data, by model, newest first in each. */
  'trained-on': { method: 'GET'; asked: ITrainedOn; answer: IVersionItem[] };
  /** What is required before a version comes into a stage, and what cannot be asked here. */
  gates: { method: 'GET'; asked: IGates; answer: IRequiredGate[] };
  /** What was asked for, newest first. */
  requests: { method: 'GET'; asked: IRequests; answer: IPromotionRequest[] };
  /** The runs, newest first or sorted. */
  runs: { method: 'GET'; asked: IRuns; answer: IRunPage };
  /** All that is known of a run. */
  run: { method: 'GET'; asked: IOneRun; answer: IRunRecord };
  /** A metric of a run over its steps, in at most so many points. */
  'run/curve': { method: 'GET'; asked: ICurve; answer: ICurvePoint[] };
  /** What notebooks trained and nobody registered. */
  drafts: { method: 'GET'; asked: IOfRegistry; answer: IDraftPage };
  /** What the registry takes up on disk, by model. */
  usage: { method: 'GET'; asked: IOfRegistry; answer: IUsage };
  /** Everything read and checked: chains, rows, objects and parts. */
  verify: { method: 'GET'; asked: IOfRegistry; answer: IVerifyReport };
  /** A version as the one file that another registry's `import_` takes in. */
  archive: { method: 'GET'; asked: IOneVersion; answer: Blob };
  /** A version as ordinary files, in a zip: what `pull` writes. */
  files: { method: 'GET'; asked: IOneVersion; answer: Blob };
  /** All that is recorded of a model, as one page without outside assets, for whoever has to check it. */
  audit: { method: 'GET'; asked: IAudit; answer: Blob };
  /** Move a version to a higher stage. */
  promote: { method: 'POST'; asked: IPromote; answer: IVersionItem };
  /** Move a version out of use, or to a lower stage. */
  retire: { method: 'POST'; asked: IRetire; answer: IVersionItem };
  /** Give a stage back to the version that held it before. */
  rollback: { method: 'POST'; asked: IRollback; answer: IVersionItem };
  /** Change what may change of a version. */
  update: { method: 'POST'; asked: IUpdate; answer: IVersionItem };
  /** Point an alias at a version. */
  'set-alias': { method: 'POST'; asked: ISetAlias; answer: IVersionItem };
  /** Take an alias away. */
  'drop-alias': { method: 'POST'; asked: IDropAlias; answer: IAliasChanged };
  /** Make the same version again, in this model or another. */
  copy: { method: 'POST'; asked: ICopy; answer: IVersionItem };
  /** Move a version to another model. */
  transfer: { method: 'POST'; asked: ITransfer; answer: IVersionItem };
  /** Hide a version, restorably. */
  delete: { method: 'POST'; asked: IDelete; answer: IVersionItem };
  /** Bring a deleted version back. */
  restore: { method: 'POST'; asked: IRestore; answer: IVersionItem };
  /** Tie something outside to a version: a ticket, a report, a business case. */
  link: { method: 'POST'; asked: ILinkTo; answer: ILink[] };
  /** Take a link away; the journal still tells of it. */
  unlink: { method: 'POST'; asked: IUnlink; answer: ILink[] };
  /** Record that a version is at work somewhere; nbreg itself deploys nothing. */
  deploy: { method: 'POST'; asked: IDeployAt; answer: IDeployment };
  /** Record that a version is at work somewhere no longer. */
  undeploy: { method: 'POST'; asked: IUndeploy; answer: IDeployment };
  /** Record how a model's traffic is shared out, for every process that routes by it. */
  'set-split': { method: 'POST'; asked: ISetSplit; answer: ISplitRow | null };
  /** Say whose a model is, who may do what, and what it is. */
  'update-model': { method: 'POST'; asked: IUpdateModel; answer: IAbout };
  /** Ask the others that a version come into a stage; nothing is moved yet. */
  request: { method: 'POST'; asked: IAsk; answer: IPromotionRequest };
  /** Agree to a request; it is promoted as soon as it passes all that the stage requires. */
  approve: { method: 'POST'; asked: IApprove; answer: IPromotionRequest };
  /** Say no to a request, which ends it. */
  reject: { method: 'POST'; asked: IOneRequest; answer: IPromotionRequest };
  /** Take back what one has asked for oneself. */
  withdraw: { method: 'POST'; asked: IOneRequest; answer: IPromotionRequest };
  /** Require gates before a version comes into a stage. */
  require: { method: 'POST'; asked: IRequire; answer: IRequiredGate[] };
  /** Require a gate no longer. */
  'drop-gate': { method: 'POST'; asked: IDropGate; answer: IRequiredGate[] };
  /** Let an alias be set or dropped only by force and with a reason. */
  protect: { method: 'POST'; asked: IOneAlias; answer: IAliasChanged };
  /** Let a protected alias move freely again; that needs a reason. */
  unprotect: { method: 'POST'; asked: IOneAlias; answer: IAliasChanged };
  /** Hide a run, restorably. */
  'delete-run': { method: 'POST'; asked: IOnRun; answer: IRunRecord };
  /** Bring a deleted run back. */
  'restore-run': { method: 'POST'; asked: IOnRun; answer: IRunRecord };
}

/** The method of each route: what only looks is a GET. */
export const METHODS: { readonly [path in keyof IRoutes]: IRoutes[path]['method'] } = {
  hello: 'GET',
  registries: 'GET',
  poll: 'GET',
  models: 'GET',
  model: 'GET',
  versions: 'GET',
  search: 'GET',
  version: 'GET',
  'version/environment': 'GET',
  'version/variables': 'GET',
  'version/recipe': 'GET',
  'version/source': 'GET',
  'version/data': 'GET',
  'version/signature': 'GET',
  'version/probe': 'GET',
  'version/origin': 'GET',
  diff: 'GET',
  events: 'GET',
  timeline: 'GET',
  registered: 'GET',
  tenures: 'GET',
  lineage: 'GET',
  deployments: 'GET',
  datasets: 'GET',
  dataset: 'GET',
  'trained-on': 'GET',
  gates: 'GET',
  requests: 'GET',
  runs: 'GET',
  run: 'GET',
  'run/curve': 'GET',
  drafts: 'GET',
  usage: 'GET',
  verify: 'GET',
  archive: 'GET',
  files: 'GET',
  audit: 'GET',
  promote: 'POST',
  retire: 'POST',
  rollback: 'POST',
  update: 'POST',
  'set-alias': 'POST',
  'drop-alias': 'POST',
  copy: 'POST',
  transfer: 'POST',
  delete: 'POST',
  restore: 'POST',
  link: 'POST',
  unlink: 'POST',
  deploy: 'POST',
  undeploy: 'POST',
  'set-split': 'POST',
  'update-model': 'POST',
  request: 'POST',
  approve: 'POST',
  reject: 'POST',
  withdraw: 'POST',
  require: 'POST',
  'drop-gate': 'POST',
  protect: 'POST',
  unprotect: 'POST',
  'delete-run': 'POST',
  'restore-run': 'POST'
};
