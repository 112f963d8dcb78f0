import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { CloseIcon } from "./icons";

interface DialogProps {
  title: string;
  /** Called when the dialog should go away: Escape, the button, or a press beside it. */
  onClose: () => void;
  children: ComponentChildren;
}

/** A modal dialog. The browser keeps the focus inside while it is open and gives it back afterwards. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      class="dialog"
      aria-labelledby="dialog-title"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => event.target === element.current && onClose()}
    >
      <div class="dialog-body">
        <button type="button" class="icon-button dialog-close" aria-label="Close" onClick={onClose}>
          <CloseIcon />
        </button>
        <h2 id="dialog-title">{title}</h2>
        {children}
      </div>
    </dialog>
  );
}
