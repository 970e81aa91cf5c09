namespace Curvature

open Curvature.Kernels

/// Takes the kernels that compute a primitive: it runs them at once, or collects them in a plan.
[<AbstractClass>]
type internal Emitter(device: Device) =
    member _.Device = device

    /// Takes a kernel, with the views that it reads and writes.
    abstract Emit: kernel: Kernel * reads: View list * writes: View list -> unit

    /// An uninitialised row-major array that lives until the primitive's kernels have run.
    abstract Temporary: Signature -> View

    /// The same values in row-major order: the view itself where it already is.
    member this.RowMajor(view: View) =
        if view.IsRowMajor then
            view
        else
            let dense = this.Temporary view.Signature
            this.CopyTo(view, dense)
            dense

    /// target = source, with conversion.
    member this.CopyTo(source: View, target: View) =
        let copy = CopyDescription(source.DType, target.DType, source.Shape, source.Operand, target.Operand)
        this.Emit(device.Copy copy, [ source ], [ target ])

    /// Emits a tape on views of one shape. Each output is a register, stored in a view, or summed over as many trailing
    /// axes as the view lacks.
    member this.Map(reads: View list, constants: float[], code: Instruction[], outputs: (int * View) list) =
        let first = reads.Head
        let output (register, view: View) = TapeOutput(register, view.Operand, first.Shape.Length - view.Shape.Length)

        let inputs = [| for view in reads -> view.Operand |]

        let tape =
            TapeDescription(first.DType, first.Shape, inputs, constants, code, [| for o in outputs -> output o |])

        this.Emit(device.Map tape, reads, outputs |> List.map snd)

    /// Emits a reduction over axes, which the target lacks.
    member this.Reduce(kind, source: View, axes: int[], target: View) =
        let reduction = ReductionDescription(source.DType, kind, source.Shape, axes, source.Operand, target.Operand)
        this.Emit(device.Reduce reduction, [ source ], [ target ])

    /// For kernels that write row-major arrays. Where the target has another layout, the result is copied there.
    member this.IntoRowMajor (target: View) (write: View -> unit) =
        if target.IsRowMajor then
            write target
        else
            let dense = this.Temporary target.Signature
            write dense
            this.CopyTo(dense, target)

/// How a primitive is computed.
[<NoEquality; NoComparison>]
type internal Evaluation =
    /// Element by element; a plan fuses neighbours into one tape.
    | Elementwise of OpCode
    /// The results are other views of the operand's storage. Nothing where its layout does not allow that; the function
    /// is then called again with a row-major copy.
    | Reinterpret of (View -> View[] voption)
    /// By kernels that read the operands and write the results.
    | Compute of (Emitter -> View[] -> View[] -> unit)
    /// By a kernel that writes the one result, or adds to it: a plan sums such products in place. The last argument
    /// says whether to add.
    | Accumulate of (Emitter -> View[] -> View -> bool -> unit)
    /// By other primitives. A plan puts these in the place of the one that they make up.
    | Composed of (Storage[] -> Storage[])
