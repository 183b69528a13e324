"""The style sheet: one design language for everything nbreg shows.

Colours come from the host's own variables (JupyterLab, VS Code) or are mixed from the text
colour, so that light and dark themes both work. `:nth-child(n)` is always true: it lifts a
rule above the host's own table styling without `!important`.
"""

from __future__ import annotations

from typing import Final

_SHEET: Final = """
.nbreg-view {
  --nbreg-ink: var(--jp-ui-font-color1, var(--vscode-foreground, inherit));
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
.nbreg-view .nbreg-added { color: var(--nbreg-good); }
.nbreg-view .nbreg-removed { color: var(--nbreg-bad); }
.nbreg-view .nbreg-changed { color: var(--nbreg-warn); }
"""

STYLE: Final = "".join(line.strip() for line in _SHEET.splitlines())
"""One line, since every output of a notebook carries it."""

DIFF_STYLE: Final = "".join(line.strip() for line in _DIFF_SHEET.splitlines())
"""What a difference needs beside it."""
