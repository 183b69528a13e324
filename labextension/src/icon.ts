import { LabIcon } from '@jupyterlab/ui-components';

const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24" fill="none">
  <g class="jp-icon3" stroke="#616161" stroke-width="1.9" stroke-linejoin="round" stroke-linecap="round">
    <path d="M12 3.2 21 8l-9 4.8L3 8z"/><path d="m3.6 12.2 8.4 4.5 8.4-4.5"/><path d="m3.6 16.3 8.4 4.5 8.4-4.5"/>
  </g>
</svg>`;

/** Versions that lie upon one another. */
export const nbregIcon = new LabIcon({ name: 'nbreg:models', svgstr: SVG });
