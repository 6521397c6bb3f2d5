import { describe, expect, it } from 'vitest';
import { escapeRegex, UsageError } from '../../src/index.ts';

describe('escapeRegex()', () => {
  it('SEARCH-01 puts one backslash before the dot of an address', () => {
    expect(escapeRegex('user@example.com')).toBe(String.raw`user@example\.com`);
  });

  it('SEARCH-02 puts a backslash before each character that has a meaning', () => {
    for (const character of '.^$*+?{}\\|[]()') expect(escapeRegex(character)).toBe(`\\${character}`);
  });

  it('SEARCH-03 escapes brackets and dots, and leaves spaces', () => {
    expect(escapeRegex('file (1).txt')).toBe(String.raw`file \(1\)\.txt`);
  });

  it('SEARCH-04 leaves plain words as they are', () => {
    expect(escapeRegex('hello world')).toBe('hello world');
  });

  it('SEARCH-05 leaves nothing as nothing', () => {
    expect(escapeRegex('')).toBe('');
  });

  it('refuses what is no string', () => {
    expect(() => escapeRegex(5 as never)).toThrow(UsageError);
  });
});
