import React from 'react';

interface IField {
  label: string;
  value: string;
  placeholder?: string;
  onText: (text: string) => void;
}

/** A line of text. */
export function Field({ label, value, placeholder, onText }: IField): JSX.Element {
  return (
    <label>
      {label}
      <input className="jp-mod-styled" value={value} placeholder={placeholder} onChange={event => onText(event.target.value)} />
    </label>
  );
}

/** Several lines of text; of code each character counts. */
export function LongField({ label, value, placeholder, onText, rows, isCode = false }: IField & { rows: number; isCode?: boolean }): JSX.Element {
  return (
    <label>
      {label}
      <textarea
        className={isCode ? 'jp-mod-styled jp-nbreg-Code' : 'jp-mod-styled'}
        rows={rows}
        value={value}
        placeholder={placeholder}
        spellCheck={!isCode}
        onChange={event => onText(event.target.value)}
      />
    </label>
  );
}

interface IChoice<T extends string> {
  label: string;
  value: T;
  choices: ReadonlyArray<T>;
  onChoose: (chosen: T) => void;
}

/** One of a few words. */
export function Choice<T extends string>({ label, value, choices, onChoose }: IChoice<T>): JSX.Element {
  return (
    <label>
      {label}
      <select className="jp-mod-styled" value={value} onChange={event => onChoose(event.target.value as T)}>
        {choices.map(each => (
          <option key={each}>{each}</option>
        ))}
      </select>
    </label>
  );
}

interface ICheck {
  label: string;
  checked: boolean;
  className?: string;
  onCheck: (isChecked: boolean) => void;
}

/** Something that is so or not. */
export function Check({ label, checked, className, onCheck }: ICheck): JSX.Element {
  return (
    <label className={className}>
      <input type="checkbox" checked={checked} onChange={event => onCheck(event.target.checked)} />
      {label}
    </label>
  );
}
