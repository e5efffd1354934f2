const CHOICES = [7, 30, 90, 365]

/** What is offered where a room's messages may expire, besides what is so already. */
export function keepChoices(days: number | null): (number | null)[] {
  const more = days === null || days === 0 || CHOICES.includes(days) ? [] : [days]
  return [null, ...[...CHOICES, ...more].sort((a, b) => a - b), 0]
}
