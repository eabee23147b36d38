// SPDX-License-Identifier: MIT

/** What the page is told at its beginning. */
export interface Manifest {
  /** `file`: all data is in the page; `served`: it is fetched from where the page came from. */
  readonly mode: 'file' | 'served';
  /** The run goes on: more comes. */
  readonly live: boolean;
  readonly runs: readonly ManifestRun[];
}

export interface ManifestRun {
  readonly label: string;
  readonly files: readonly { readonly name: string; readonly size: number }[];
  readonly left: readonly string[];
}

/** What is sent while a run goes on: the sizes of its files by name. */
export interface Growth {
  readonly sizes: Readonly<Record<string, number>>;
  /** The run has ended: no more comes. */
  readonly ended: boolean;
}

/** The element of the page that holds the manifest, and the one of a file of a run. */
export const MANIFEST_ID = 'manifest';
export const DIFF_ID = 'diff';
export function fileId(run: number, file: number): string {
  return `file-${run}-${file}`;
}
