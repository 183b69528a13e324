"""The style sheet: one design language for everything nbreg shows.

Colours come from the host's own variables (JupyterLab, VS Code) or are mixed from the text
colour, so that light and dark themes both work. A colour of marks is too pale for words: those have
it mixed with their own. What somebody wrote from right to left is set so, and changes no order
of what stands beside it. `:nth-child(n)` is always true: it lifts a
rule above the host's own table styling without `!important`.
"""

from __future__ import annotations

from typing import Final

_SHEET: Final = """
.nbreg-view {
  --nbreg-ink: var(--jp-ui-font-color1, var(--vscode-foreground, inherit));
  --nbreg-page: var(--jp-layout-color0, var(--vscode-editor-background, Canvas));
  --nbreg-line: var(--jp-border-color2, var(--vscode-panel-border, rgba(128, 128, 128, .35)));
  --nbreg-soft: rgba(128, 128, 128, .12);
  --nbreg-good: var(--jp-success-color1, #2e9e4f);
  --nbreg-warn: var(--jp-warn-color1, #d9822b);
  --nbreg-info: var(--jp-info-color1, #2f81f7);
  --nbreg-bad: var(--jp-error-color1, #d1383d);
  box-sizing: border-box; margin: 4px 0; overflow-x: auto;
  color: var(--nbreg-ink); font-size: 13px; line-height: 1.5;
  font-family: var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI", sans-serif);
}
.nbreg-view.nbreg-card {
  max-width: 56em; padding: 10px 14px; border: 1px solid var(--nbreg-line); border-radius: 6px;
}
.nbreg-view .nbreg-head { font-size: 15px; line-height: 1.4; margin: 0; }
.nbreg-view .nbreg-head b { font-weight: 600; }
.nbreg-view .nbreg-head .nbreg-beside { font-weight: 400; margin-left: .35em; }
.nbreg-view .nbreg-quiet { opacity: .72; }
.nbreg-view .nbreg-sub { margin: 1px 0 0; }
.nbreg-view .nbreg-facts + .nbreg-sub { margin-top: 6px; }
.nbreg-view .nbreg-gap, .nbreg-view .nbreg-note {
  font-size: 12px; margin: 8px 0 4px; padding: 3px 9px; overflow-wrap: anywhere;
  background: var(--nbreg-soft); border-radius: 4px; border-left: 3px solid var(--nbreg-info);
}
.nbreg-view .nbreg-gap { border-left-color: var(--nbreg-warn); }
.nbreg-view .nbreg-dot {
  display: inline-block; box-sizing: border-box; width: 8px; height: 8px; margin-right: 6px;
  border: 1.5px solid currentColor; border-radius: 50%; opacity: .6;
}
.nbreg-view .nbreg-production { opacity: 1; color: var(--nbreg-good); background: var(--nbreg-good); }
.nbreg-view .nbreg-staging, .nbreg-view .nbreg-major {
  opacity: 1; color: var(--nbreg-warn); background: var(--nbreg-warn);
}
.nbreg-view .nbreg-candidate { opacity: 1; color: var(--nbreg-info); background: var(--nbreg-info); }
.nbreg-view .nbreg-development { opacity: 1; color: var(--nbreg-info); }
.nbreg-view .nbreg-breaking { opacity: 1; color: var(--nbreg-bad); background: var(--nbreg-bad); }
.nbreg-view table.nbreg-table, .nbreg-view table.nbreg-facts {
  border: none; border-collapse: collapse; margin: 6px 0 0; font-size: 13px; color: inherit;
}
.nbreg-view table.nbreg-table tbody tr:nth-child(n), .nbreg-view table.nbreg-facts tbody tr:nth-child(n) {
  background: none;
}
.nbreg-view .nbreg-table th:nth-child(n), .nbreg-view .nbreg-table td:nth-child(n) {
  padding: 4px 18px 4px 0; border: none; border-bottom: 1px solid var(--nbreg-line);
  font-weight: 400; text-align: left; vertical-align: top; white-space: nowrap;
}
.nbreg-view .nbreg-table thead th:nth-child(n) { font-size: 12px; padding-bottom: 3px; }
.nbreg-view .nbreg-table thead th span { opacity: .72; }
.nbreg-view .nbreg-table tbody tr:last-child td:nth-child(n) { border-bottom: none; }
.nbreg-view .nbreg-table th.nbreg-right:nth-child(n), .nbreg-view .nbreg-table td.nbreg-right:nth-child(n) {
  text-align: right; font-variant-numeric: tabular-nums;
}
.nbreg-view .nbreg-table td.nbreg-long:nth-child(n) {
  white-space: normal; min-width: 12em; max-width: 32em; overflow-wrap: anywhere;
}
.nbreg-view .nbreg-table td.nbreg-key:nth-child(n) { font-weight: 600; }
.nbreg-view td { unicode-bidi: plaintext; }
.nbreg-view .nbreg-facts th:nth-child(n), .nbreg-view .nbreg-facts td:nth-child(n) {
  padding: 1px 14px 1px 0; border: none; font-weight: 400; text-align: left; vertical-align: top;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
.nbreg-view .nbreg-facts th:nth-child(n) { opacity: .72; white-space: nowrap; }
"""

_DIFF_SHEET: Final = """
.nbreg-view .nbreg-part { margin: 10px 0 0; }
.nbreg-view .nbreg-part + table.nbreg-facts { margin-top: 2px; }
.nbreg-view .nbreg-diff th:nth-child(n) {
  opacity: 1; font-family: var(--jp-code-font-family, monospace); font-size: 12px;
}
.nbreg-view .nbreg-diff pre {
  margin: 2px 0 6px; padding: 4px 8px; border-radius: 4px; background: var(--nbreg-soft); color: inherit;
  font-family: var(--jp-code-font-family, monospace); font-size: 12px; line-height: 1.4;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
.nbreg-view .nbreg-added { color: color-mix(in srgb, var(--nbreg-good) 65%, currentColor); }
.nbreg-view .nbreg-removed { color: color-mix(in srgb, var(--nbreg-bad) 65%, currentColor); }
.nbreg-view .nbreg-changed { color: color-mix(in srgb, var(--nbreg-warn) 65%, currentColor); }
"""

_FOLD_SHEET: Final = """
.nbreg-view details.nbreg-fold { margin: 0; padding: 3px 0; border-top: 1px solid var(--nbreg-line); }
.nbreg-view table.nbreg-facts + details.nbreg-fold, .nbreg-view .nbreg-sub + details.nbreg-fold,
.nbreg-view .nbreg-gap + details.nbreg-fold { margin-top: 8px; }
.nbreg-view .nbreg-fold summary { cursor: pointer; overflow-wrap: anywhere; }
.nbreg-view .nbreg-fold summary b { font-weight: 600; margin-right: .35em; }
.nbreg-view .nbreg-fold summary:focus-visible { outline: 2px solid var(--nbreg-info); outline-offset: 1px; }
.nbreg-view .nbreg-room { margin-left: 15px; overflow: auto; max-height: 420px; }
.nbreg-view .nbreg-room:focus-visible { outline: 2px solid var(--nbreg-info); outline-offset: 1px; }
.nbreg-view .nbreg-cell { margin-top: 6px; font-size: 12px; opacity: .72; }
.nbreg-view .nbreg-fold pre {
  margin-top: 2px; margin-bottom: 6px; padding: 4px 8px; border-radius: 4px; background: var(--nbreg-soft);
  color: inherit; font-family: var(--jp-code-font-family, monospace); font-size: 12px; line-height: 1.4;
  white-space: pre-wrap; overflow-wrap: anywhere;
}
.nbreg-view code.nbreg-ref {
  display: inline-block; max-width: 26em; margin: 4px 6px 2px 0; padding: 1px 7px; border-radius: 4px;
  background: var(--nbreg-soft); color: inherit; font-family: var(--jp-code-font-family, monospace);
  font-size: 12px; user-select: all; cursor: copy; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; vertical-align: middle;
}
.nbreg-view code.nbreg-whole-ref { max-width: 100%; white-space: pre-wrap; overflow-wrap: anywhere; }
"""

_GRAPH_SHEET: Final = """
.nbreg-view .nbreg-scroll {
  overflow: auto; max-height: 480px; margin: 6px 0 0; border: 1px solid var(--nbreg-line); border-radius: 4px;
}
.nbreg-view .nbreg-scroll svg { max-width: none; overflow: hidden; }
.nbreg-view .nbreg-scroll svg.nbreg-heads { position: sticky; top: 0; background: var(--nbreg-page); }
.nbreg-view .nbreg-graph:has(details[open]) .nbreg-scroll svg { width: 100%; height: auto; }
.nbreg-view .nbreg-graph:has(details[open]) .nbreg-scroll { max-height: none; }
.nbreg-view .nbreg-whole-graph { font-size: 12px; margin: 2px 0; }
.nbreg-view .nbreg-whole-graph summary { cursor: pointer; opacity: .72; }
.nbreg-view .nbreg-node { cursor: pointer; outline: none; }
.nbreg-view .nbreg-node rect {
  fill: var(--nbreg-page); stroke: currentColor; stroke-opacity: .45; stroke-width: 1;
}
.nbreg-view .nbreg-node:hover rect { stroke-opacity: 1; }
.nbreg-view .nbreg-node:focus rect { stroke: var(--nbreg-info); stroke-opacity: 1; stroke-width: 2; }
.nbreg-view .nbreg-is-version rect { fill: var(--nbreg-soft); stroke-opacity: .9; }
.nbreg-view .nbreg-is-version text { font-weight: 600; }
.nbreg-view .nbreg-is-data rect { stroke: var(--nbreg-info); stroke-opacity: .9; }
.nbreg-view .nbreg-is-stage rect, .nbreg-view .nbreg-is-deployment rect {
  stroke: var(--nbreg-good); stroke-opacity: .9;
}
.nbreg-view .nbreg-is-decisions rect { stroke: var(--nbreg-warn); stroke-opacity: .9; }
.nbreg-view .nbreg-is-run rect { stroke-dasharray: 3 2; }
.nbreg-view svg path.nbreg-line { stroke: currentColor; opacity: .3; stroke-width: 1.2; }
.nbreg-view svg path.nbreg-past { stroke-dasharray: 3 3; }
.nbreg-view .nbreg-graph:has(.nbreg-node:focus) svg path.nbreg-line { opacity: .14; }
.nbreg-view .nbreg-detail { display: none; padding: 4px 0 2px; }
.nbreg-view .nbreg-details { min-height: 3em; font-size: 13px; }
.nbreg-view .nbreg-graph:has(.nbreg-node:focus) .nbreg-hint { display: none; }
"""

_PANEL_SHEET: Final = """
.nbreg-view.nbreg-panel {
  max-width: 66em; padding: 10px 14px 8px; border: 1px solid var(--nbreg-line); border-radius: 6px;
}
.nbreg-view.nbreg-panel.nbreg-wide { max-width: 84em; }
.nbreg-panel {
  --jp-widgets-dropdown-arrow: url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'
  %20viewBox='0 0 18 18'%3E%3Cpath fill='gray' d='M5.2 5.9 9 9.7l3.8-3.8 1.2 1.2-5 5-5-5z'/%3E%3C/svg%3E");
}
.nbreg-panel .widget-html-content:has(> .nbreg-table) { overflow-x: auto; }
.nbreg-panel .widget-html, .nbreg-panel .jupyter-widget-html { min-width: 0; margin: 0; }
.nbreg-panel .widget-html-content.widget-html-content {
  line-height: 1.5; font-size: 13px; color: inherit; overflow-wrap: anywhere; min-width: 0; width: 100%;
}
.nbreg-panel button.jupyter-button { border-radius: 4px; box-shadow: none; font-size: 13px; }
.nbreg-panel button.jupyter-button:focus-visible, .nbreg-panel input:focus-visible,
.nbreg-panel select:focus-visible { outline: 2px solid var(--nbreg-info); outline-offset: 1px; }
.nbreg-panel button.jupyter-button:disabled { opacity: .45; }
.nbreg-panel button.nbreg-name:disabled { visibility: hidden; }
.nbreg-panel button.nbreg-plain:not(.mod-primary):not(.mod-active) {
  background: none; border: 1px solid var(--nbreg-line); color: inherit;
}
.nbreg-panel button.nbreg-plain:not(.mod-primary):not(.mod-active):not(:disabled):hover {
  background: var(--nbreg-soft);
}
.nbreg-panel .widget-text > .widget-label, .nbreg-panel .widget-dropdown > .widget-label {
  position: absolute; width: 1px; height: 1px; padding: 0; margin: -1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
.nbreg-panel .widget-text, .nbreg-panel .widget-dropdown { position: relative; }
.nbreg-panel .widget-hbox { gap: 6px; }
.nbreg-panel .widget-hbox > * { margin-left: 0; margin-right: 0; }
.nbreg-panel .widget-hbox > .widget-html:not(:first-child):has(.nbreg-label) { margin-left: 10px; }
.nbreg-panel .widget-vbox { gap: 2px; }
.nbreg-panel .widget-vbox > .widget-text, .nbreg-panel.widget-vbox > .widget-dropdown {
  margin-left: 0; margin-right: 0;
}
.nbreg-panel button.nbreg-name {
  text-align: left; padding: 0 8px; height: 24px; line-height: 22px; margin: 2px 0 0; font-weight: 600;
  overflow: hidden; text-overflow: ellipsis;
}
.nbreg-panel button.nbreg-plain.nbreg-name.nbreg-again:not(.mod-active) {
  font-weight: 400; border-color: transparent;
}
.nbreg-view.nbreg-panel .nbreg-table th:nth-child(n), .nbreg-view.nbreg-panel .nbreg-table td:nth-child(n) {
  padding-right: 13px;
}
.nbreg-view.nbreg-panel .nbreg-table td.nbreg-long:nth-child(n) { min-width: 8em; }
.nbreg-panel button.nbreg-name.mod-active {
  background: var(--jp-brand-color0, #1565c0); border-color: var(--jp-brand-color0, #1565c0); color: #fff;
}
.nbreg-view .nbreg-rows { font-size: 13px; container-type: inline-size; }
.nbreg-view .nbreg-row {
  display: grid; align-items: center; height: 28px; column-gap: 10px; white-space: nowrap;
  grid-template-columns: 18px minmax(0, 13fr) 76px minmax(0, 12fr) 124px minmax(0, 56px);
}
.nbreg-view .nbreg-row > span {
  overflow: hidden; text-overflow: ellipsis; unicode-bidi: plaintext; text-align: left;
}
.nbreg-view .nbreg-row:not(.nbreg-made) .nbreg-what { grid-column: span 2; }
.nbreg-view .nbreg-row .nbreg-number { text-align: right; font-variant-numeric: tabular-nums; }
.nbreg-view .nbreg-row .nbreg-when, .nbreg-view .nbreg-row .nbreg-who, .nbreg-view .nbreg-row .nbreg-said {
  opacity: .72; font-variant-numeric: tabular-nums;
}
.nbreg-view .nbreg-row .nbreg-rail {
  position: relative; align-self: stretch; opacity: 1; overflow: visible;
}
.nbreg-view .nbreg-rail::before {
  content: ""; position: absolute; left: 8px; top: 0; bottom: 0; border-left: 1px solid var(--nbreg-line);
}
.nbreg-view .nbreg-row:first-child .nbreg-rail::before { top: 50%; }
.nbreg-view .nbreg-row:last-child .nbreg-rail::before { bottom: 50%; }
.nbreg-view .nbreg-rail::after {
  content: ""; position: absolute; box-sizing: border-box; left: 5px; top: calc(50% - 3.5px);
  width: 7px; height: 7px; border-radius: 50%; background: var(--nbreg-mark, currentColor);
}
.nbreg-view .nbreg-made .nbreg-rail::after {
  left: 4px; top: calc(50% - 4.5px); width: 9px; height: 9px; border: 2px solid var(--nbreg-ink);
  background: var(--nbreg-page);
}
@container (max-width: 540px) {
  .nbreg-view .nbreg-row {
    column-gap: 8px; grid-template-columns: 18px minmax(0, 7fr) 76px minmax(0, 6fr) 84px;
  }
  .nbreg-view .nbreg-row .nbreg-who, .nbreg-view .nbreg-row .nbreg-year { display: none; }
}
@container (max-width: 380px) {
  .nbreg-view .nbreg-row { grid-template-columns: 18px minmax(0, 1fr) 76px 84px; }
  .nbreg-view .nbreg-row .nbreg-said { display: none; }
}
.nbreg-view .nbreg-rail-good { --nbreg-mark: var(--nbreg-good); }
.nbreg-view .nbreg-rail-warn { --nbreg-mark: var(--nbreg-warn); }
.nbreg-view .nbreg-rail-info { --nbreg-mark: var(--nbreg-info); }
.nbreg-view .nbreg-rail-bad { --nbreg-mark: var(--nbreg-bad); }
.nbreg-view .nbreg-rail-quiet { --nbreg-mark: rgba(128, 128, 128, .8); }
.nbreg-view .nbreg-made .nbreg-what { font-weight: 600; }
.nbreg-view .nbreg-head .nbreg-dot { margin-left: 2px; }
.nbreg-view .nbreg-whole { white-space: nowrap; }
.nbreg-view .nbreg-label { opacity: .72; }
.nbreg-view .nbreg-label + .nbreg-label { margin-left: 8px; }
.nbreg-view ol.nbreg-track {
  display: flex; flex-wrap: wrap; gap: 2px 0; margin: 4px 0 2px; padding: 0; list-style: none;
  font-size: 12px;
}
.nbreg-view .nbreg-track li { opacity: .72; margin: 0; white-space: nowrap; }
.nbreg-view .nbreg-track li + li::before { content: "→"; margin: 0 8px; opacity: .6; }
.nbreg-view .nbreg-track li.nbreg-here { opacity: 1; font-weight: 600; }
.nbreg-view .nbreg-error {
  font-size: 12px; margin: 4px 0; padding: 4px 9px; overflow-wrap: anywhere; background: var(--nbreg-soft);
  border-radius: 4px; border-left: 3px solid var(--nbreg-bad);
}
.nbreg-view .nbreg-done { border-left-color: var(--nbreg-good); }
.nbreg-view .nbreg-foretold { margin: 4px 0 2px; font-weight: 600; }
.nbreg-view ul.nbreg-gates { margin: 4px 0; padding: 0; list-style: none; }
.nbreg-view .nbreg-gates li { display: flex; gap: 6px; margin: 1px 0; overflow-wrap: anywhere; }
.nbreg-view .nbreg-gates b { font-weight: 600; }
.nbreg-view .nbreg-gates .nbreg-saw { opacity: .8; }
.nbreg-view .nbreg-mark { flex: 0 0 14px; text-align: center; font-weight: 600; }
.nbreg-view .nbreg-gate-passed .nbreg-mark { color: color-mix(in srgb, var(--nbreg-good) 65%, currentColor); }
.nbreg-view .nbreg-gate-failed .nbreg-mark { color: color-mix(in srgb, var(--nbreg-bad) 65%, currentColor); }
.nbreg-view .nbreg-asked { margin-top: 6px; padding-left: 9px; border-left: 3px solid var(--nbreg-info); }
.nbreg-view .nbreg-parting { margin-top: 8px; padding-top: 8px; border-top: 1px solid var(--nbreg-line); }
.nbreg-view svg.nbreg-plot { margin: 8px 0 6px; }
.nbreg-panel svg.nbreg-plot { width: 100%; }
.nbreg-view svg { display: block; max-width: 100%; height: auto; overflow: visible; }
.nbreg-view svg text { font-family: inherit; font-size: 11px; fill: currentColor; }
.nbreg-panel .widget-html-content:has(> svg.nbreg-plot) { container-type: inline-size; }
@container (max-width: 480px) { .nbreg-view svg.nbreg-plot text { font-size: 13px; } }
@container (min-width: 700px) { .nbreg-view svg.nbreg-plot text { font-size: 9px; } }
.nbreg-view svg .nbreg-tick { opacity: .72; }
.nbreg-view svg .nbreg-holder {
  fill: color-mix(in srgb, var(--nbreg-good) 65%, currentColor); font-weight: 600;
  paint-order: stroke; stroke: var(--nbreg-page); stroke-width: 3px; stroke-linejoin: round;
}
.nbreg-view svg path { fill: none; }
.nbreg-view svg .nbreg-rule { stroke: currentColor; opacity: .13; }
.nbreg-view svg .nbreg-held {
  stroke: var(--nbreg-good); stroke-width: 3; opacity: .75; stroke-linecap: round;
}
.nbreg-view svg .nbreg-point {
  fill: var(--nbreg-page); stroke: currentColor; stroke-width: 1.6;
}
.nbreg-view svg .nbreg-at-production { fill: var(--nbreg-good); stroke: var(--nbreg-good); }
.nbreg-view svg .nbreg-at-staging { fill: var(--nbreg-warn); stroke: var(--nbreg-warn); }
.nbreg-view svg .nbreg-at-candidate { fill: var(--nbreg-info); stroke: var(--nbreg-info); }
.nbreg-view svg .nbreg-curve { stroke: var(--nbreg-info); stroke-width: 1.6; }
.nbreg-view svg path.nbreg-band { fill: var(--nbreg-info); opacity: .16; }
.nbreg-view .nbreg-figure { display: inline-block; margin: 6px 18px 0 0; }
.nbreg-view .nbreg-figure figcaption { font-size: 12px; }
"""

STYLE: Final = "".join(line.strip() for line in _SHEET.splitlines())
"""One line, since every output of a notebook carries it."""

DIFF_STYLE: Final = "".join(line.strip() for line in _DIFF_SHEET.splitlines())
"""What a difference needs beside it."""

FOLD_STYLE: Final = "".join(line.strip() for line in _FOLD_SHEET.splitlines())
"""What folded parts and references to copy need beside it."""

GRAPH_STYLE: Final = "".join(line.strip() for line in _GRAPH_SHEET.splitlines())
"""What a lineage drawn as a graph needs beside it."""

PANEL_STYLE: Final = "".join(line.strip() for line in _PANEL_SHEET.splitlines())
"""What panels and their static twins need beside it."""

# A panel in JupyterLab is two outputs: the view of widgets, and after it the twin that is saved.

_CHILD: Final = ".jp-OutputArea-child"
LIVE_STYLE: Final = f"{_CHILD}:has(.nbreg-panel) + {_CHILD}:has(.nbreg-twin){{display:none}}"
"""A view that is there hides the twin after it. A host without `:has()` shows both."""

TWIN_STYLE: Final = (
    # A view's output is the one that JupyterLab gives no mime type.
    f"{_CHILD}:has(> .jp-OutputArea-output:not([data-mime-type])):not(:has(.nbreg-panel))"
    f":has(+ {_CHILD} .nbreg-twin){{display:none}}"
)
"""A twin hides the view before it that no kernel backs any more: it would say `model not found`."""
