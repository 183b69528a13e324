import React, { useState } from 'react';

import type { ICurvePoint } from '../contract';
import { useSurroundings } from './parts';
import { shown } from '../words';

const WIDTH = 300;
const HEIGHT = 96;

interface IAt {
  step: number;
  value: number;
  low: number;
  high: number;
}

/** A metric over the steps: the line of its last values, how far others lay from it, and any point by the keyboard. */
export function Curve({ name, points }: { name: string; points: ReadonlyArray<ICurvePoint> }): JSX.Element {
  const { trans } = useSurroundings();
  const [at, setAt] = useState<number | null>(null);
  const drawn = points.filter(isNumber);
  const left = points.length - drawn.length;
  if (drawn.length === 0) {
    return <p className="jp-nbreg-quiet">{trans.__('No value of it is a number.')}</p>;
  }
  const [low, high] = [Math.min(...drawn.map(each => each.low)), Math.max(...drawn.map(each => each.high))];
  const [first, last] = [drawn[0], drawn[drawn.length - 1]];
  const x = ({ step }: IAt): number => (last.step === first.step ? WIDTH / 2 : ((step - first.step) / (last.step - first.step)) * WIDTH);
  const y = (value: number): number => (high === low ? HEIGHT / 2 : HEIGHT - ((value - low) / (high - low)) * HEIGHT);
  const chosen = drawn[Math.min(at ?? drawn.length - 1, drawn.length - 1)];
  const band = [...drawn.map(each => `${x(each)},${y(each.high)}`), ...[...drawn].reverse().map(each => `${x(each)},${y(each.low)}`)];
  return (
    <figure className="jp-nbreg-Curve">
      <figcaption>
        <span>{name}</span>
        <output className="jp-nbreg-Number">
          {trans.__('step %1:', chosen.step)} <b>{shown(chosen.value)}</b>
        </output>
      </figcaption>
      <div className="jp-nbreg-Plot">
        <span className="jp-nbreg-quiet jp-nbreg-Number">{shown(high)}</span>
        <span className="jp-nbreg-quiet jp-nbreg-Number">{high === low ? '' : shown(low)}</span>
        <svg
          viewBox={`-4 -4 ${WIDTH + 8} ${HEIGHT + 8}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={trans.__('%1 over %2 steps, from %3 to %4', name, last.step - first.step + 1, shown(first.value), shown(last.value))}
          onPointerMove={event => setAt(nearest(drawn, event.currentTarget, event.clientX))}
        >
          {drawn.some(each => each.low !== each.high) && <polygon points={band.join(' ')} />}
          {drawn.length > 1 && <polyline points={drawn.map(each => `${x(each)},${y(each.value)}`).join(' ')} />}
          <line x1={x(chosen)} x2={x(chosen)} y1={-4} y2={HEIGHT + 4} />
          <line className="jp-nbreg-Here" x1={x(chosen)} x2={x(chosen)} y1={y(chosen.value)} y2={y(chosen.value)} />
        </svg>
      </div>
      {drawn.length > 1 && (
        <input
          type="range"
          min={0}
          max={drawn.length - 1}
          value={at ?? drawn.length - 1}
          aria-label={trans.__('Step of %1', name)}
          aria-valuetext={trans.__('step %1: %2', chosen.step, shown(chosen.value))}
          onChange={event => setAt(Number(event.target.value))}
        />
      )}
      {left > 0 && <p className="jp-nbreg-quiet">{trans._n('%1 value is no finite number', '%1 values are no finite numbers', left)}</p>}
    </figure>
  );
}

/** Whether it can be drawn: NaN and infinite values travel as words. */
function isNumber(point: ICurvePoint): point is IAt {
  return [point.value, point.low, point.high].every(each => typeof each === 'number');
}

function nearest(drawn: ReadonlyArray<IAt>, picture: SVGSVGElement, clientX: number): number {
  const { left, width } = picture.getBoundingClientRect();
  const [first, last] = [drawn[0].step, drawn[drawn.length - 1].step];
  const step = first + ((clientX - left) / Math.max(width, 1)) * (last - first);
  return drawn.reduce((best, each, i) => (Math.abs(each.step - step) < Math.abs(drawn[best].step - step) ? i : best), 0);
}
