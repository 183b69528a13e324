import { describe, expect, it } from 'vitest';

import { diffCard, OPEN, producedOf, referenceOf, versionCard } from '../src/cards';

const EVIL = '<img src=x onerror="window.hacked=1">';

const outputs = import.meta.glob<{ cells: Array<{ outputs?: Array<{ data?: { [mime: string]: any } }> }> }>('../../notebooks/*.ipynb', {
  eager: true,
  query: '?raw',
  import: 'default'
});

/** What the committed notebooks hold of a kind: outputs of a real kernel. */
function saved(mime: string): Array<{ json: any; plain: string }> {
  return Object.values(outputs)
    .flatMap(text => JSON.parse(text as unknown as string).cells)
    .flatMap(cell => cell.outputs ?? [])
    .filter(output => output.data?.[mime])
    .map(output => ({ json: output.data[mime], plain: [output.data['text/plain']].flat().join('') }));
}

describe('the card of a version', () => {
  it.each(saved('application/vnd.nbreg.version+json'))('says all that its plain twin says: $json.model $json.name', ({ json, plain }) => {
    const card = versionCard(json, plain);

    const words = plain.split(/\s+/).filter(each => each && each !== '·');
    expect(words.filter(each => !card.textContent?.includes(each))).toEqual([]);
    expect(card.querySelector('button')?.textContent).toBe(json.model);
  });

  it('is found in the manual at all', () => {
    expect(saved('application/vnd.nbreg.version+json').length).toBeGreaterThan(3);
    expect(saved('application/vnd.nbreg.diff+json').length).toBeGreaterThan(0);
  });

  it('sets whatever somebody wrote as text', () => {
    const json = { model: EVIL, number: 1, name: EVIL, message: EVIL, tags: [EVIL], metrics: { [EVIL]: 1 } };

    for (const plain of ['', `${EVIL} 1.0.0 (#1) · ${EVIL}\n  message  ${EVIL}\n  ${EVIL}`]) {
      const card = versionCard(json, plain);

      expect(card.querySelectorAll('img, script')).toHaveLength(0);
      expect(card.textContent).toContain(EVIL);
    }
  });

  it('asks for its version by number, in the registry that it is of, when it is pressed', () => {
    const told = { 'application/vnd.nbreg.version+json': { id: 'f'.repeat(64), registry: 'r1' } };
    const card = document.body.appendChild(versionCard({ model: 'risk/churn', number: 3, name: '1.2.0' }, '', told));
    const asked: unknown[] = [];
    document.addEventListener(OPEN, event => asked.push((event as CustomEvent).detail), { once: true });

    card.querySelector('button')?.click();

    expect(asked).toEqual([{ ref: 'risk/churn@3', registry: 'r1' }]);
  });

  it('names no version where the record is none', () => {
    expect(producedOf({ model: 'churn' })).toBeNull();
    expect(referenceOf({ model: 3, number: 'x' })).toBe('');
    expect(referenceOf(undefined)).toBe('');
  });
});

describe('a difference', () => {
  it.each(saved('application/vnd.nbreg.diff+json'))('says all that its plain twin says: $json.after', ({ json, plain }) => {
    const card = diffCard(json, plain);

    const words = plain.split(/\s+/).filter(each => each && each !== '-');
    expect(words.filter(each => !card.textContent?.includes(each))).toEqual([]);
  });

  it('colours lines of code by their sign, and sets them as text', () => {
    const card = diffCard({}, `a → b\ncode\n  ~ fit\n      - ${EVIL}\n      + new\nnot compared: data (why)`);

    expect(card.querySelector('pre .jp-nbreg-mod-removed')?.textContent).toBe(`- ${EVIL}\n`);
    expect(card.querySelector('pre .jp-nbreg-mod-added')?.textContent).toBe('+ new\n');
    expect(card.querySelectorAll('img')).toHaveLength(0);
  });
});
