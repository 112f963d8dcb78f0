import { useRef, useState } from "preact/hooks";

interface CopyFieldProps {
  id: string;
  label: string;
  text: string;
  /** What it is good for, below the field. */
  note: string;
}

/** A text to be copied. */
export function CopyField({ id, label, text, note }: CopyFieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = () => {
    field.current?.select();
    void copySelected(field.current?.value ?? "").then(setCopied);
  };
  return (
    <>
      <div class="field">
        <label for={id}>{label}</label>
        <input id={id} ref={field} readOnly value={text} onFocus={(event) => event.currentTarget.select()} />
      </div>
      <p class="dialog-note">{note}</p>
      <button type="button" class="button" autofocus onClick={copy}>
        {copied ? "Copied" : "Copy link"}
      </button>
    </>
  );
}

/** Copies a text that is also selected on the page: the older way is what works without TLS. */
async function copySelected(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}
