// SPDX-License-Identifier: MIT

/** Why a text is not a value, where "expected …; found …" would not say enough. */
export class Refusal {
  /** @param reason a sentence with what was expected, what was found and what to do */
  constructor(readonly reason: string) {}
}
