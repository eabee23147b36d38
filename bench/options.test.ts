// SPDX-License-Identifier: MIT
import { expect, it } from 'vitest';
import { readOptions } from './options.js';

it('measures everything unless sections are named', () => {
  expect([...readOptions([], {}).sections]).toEqual([
    'runs',
    'parallel',
    'profile',
    'scale',
    'kvm',
    'engine',
    'view',
  ]);
  expect([...readOptions(['scale', 'runs'], {}).sections]).toEqual(['scale', 'runs']);
});
