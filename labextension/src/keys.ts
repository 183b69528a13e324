/**
 * Leave to a list in a panel the keys that it needs: the notebook around it would take an arrow for
 * moving to another cell, and `D` `D` for deleting one.
 */
export function keepKeys(event: FocusEvent): void {
  const { target } = event;
  if (target instanceof HTMLSelectElement && target.closest('.nbreg-panel')) {
    target.setAttribute('data-lm-suppress-shortcuts', 'true');
  }
}
