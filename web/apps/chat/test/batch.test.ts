import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Batch } from "../src/live/batch";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function start() {
  const handed: number[][] = [];
  return { handed, batch: new Batch<number>((items) => handed.push([...items]), 50) };
}

test("hands over the first at once, and what follows closely together", () => {
  const { handed, batch } = start();
  batch.add(1);
  batch.add(2);
  batch.add(3);
  expect(handed).toEqual([[1]]);
  vi.advanceTimersByTime(50);
  expect(handed).toEqual([[1], [2, 3]]);
  vi.advanceTimersByTime(50);
  batch.add(4);
  expect(handed).toEqual([[1], [2, 3], [4]]);
});

test("holds back a bounded number", () => {
  const { handed, batch } = start();
  for (let i = 0; i <= 1200; i++) batch.add(i);
  expect(handed.map(({ length }) => length)).toEqual([1, 500, 500]);
  batch.flush();
  expect(handed.flat()).toEqual(Array.from({ length: 1201 }, (_, i) => i));
});

test("leaves no timer behind once all is handed over", () => {
  const { batch } = start();
  batch.add(1);
  batch.add(2);
  vi.advanceTimersByTime(100);
  expect(vi.getTimerCount()).toBe(0);
});
