/** Which Topic Filters match which Topic Names (section 4.7), written for the models, apart from the reference broker's own. */

/** The group and the filter of a Shared Subscription (5.0, section 4.8.2); any other filter is its own. */
export function unshared(filter: string): { readonly group: string | undefined; readonly filter: string } {
  const [, group, rest] = /^\$share\/([^/+#]+)\/(.+)$/s.exec(filter) ?? [];
  return group !== undefined && rest !== undefined ? { group, filter: rest } : { group: undefined, filter };
}

/** Whether a Topic Filter (not one of a Shared Subscription) matches a Topic Name. */
export function matches(filter: string, topic: string): boolean {
  if (filter === topic) return true;
  if (!filter.includes('+') && !filter.includes('#')) return false;
  if (topic.startsWith('$') && /^[+#]/.test(filter)) return false;
  const names = topic.split('/');
  const levels = filter.split('/');
  for (const [depth, level] of levels.entries()) {
    if (level === '#') return depth <= names.length;
    if (depth >= names.length) return false;
    if (level !== '+' && level !== names[depth]) return false;
  }
  return levels.length === names.length;
}
