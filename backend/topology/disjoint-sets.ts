// SPDX-License-Identifier: MIT

/** Things that are joined in pairs, and the question whether two are connected. */
export class DisjointSets {
  private readonly parents = new Map<string, string>();

  /** The member that stands for all that `member` is connected with. */
  find(member: string): string {
    let root = member;
    for (let next = this.parents.get(root); next !== undefined; next = this.parents.get(root)) root = next;
    let each = member;
    while (each !== root) {
      const next = this.parents.get(each) ?? root;
      this.parents.set(each, root);
      each = next;
    }
    return root;
  }

  join(a: string, b: string): void {
    const [first, second] = [this.find(a), this.find(b)];
    if (first !== second) this.parents.set(second, first);
  }
}
