// What a browser has and jsdom has not, as far as JupyterLab asks for it on import.
const missing: { [name: string]: unknown } = {
  DragEvent: class extends Event {},
  ResizeObserver: class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  },
  requestIdleCallback: (then: () => void) => setTimeout(then, 0),
  cancelIdleCallback: clearTimeout,
  matchMedia: () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined, addListener: () => undefined }),
  IS_REACT_ACT_ENVIRONMENT: true
};
for (const [name, value] of Object.entries(missing)) {
  if ((globalThis as { [name: string]: unknown })[name] === undefined) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}
