/** A column of a list. */
export interface Column<T> {
  /** Given to the cell; usually a property of the item. */
  key: (keyof T & string) | (string & {});
  label: string;
  /** What the server sorts by, if it can sort by this. */
  sort?: string;
  number?: boolean;
}
