// SPDX-License-Identifier: MIT

/** Makes text of rows; the first row is the header, the first column is of names, the others are of figures. */
export type TableFormat = (rows: readonly (readonly string[])[]) => string;

/** In columns, for a terminal. */
export const formatTable: TableFormat = (rows) => {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[column] as number),
        )
        .join('   ')
        .trimEnd(),
    )
    .map((line) => `  ${line}\n`)
    .join('');
};

/** For a page of docs/. */
export const formatMarkdown: TableFormat = ([header = [], ...rows]) => {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const rule = header.map((_, column) => (column === 0 ? '---' : '---:'));
  return [header, rule, ...rows].map((row) => line(row.map((cell) => cell.trim()))).join('');
};
