namespace Curvature

open Curvature.Kernels

/// An array as kernels read it: a slot in the table of addresses, and a strided layout there.
type internal View =
    {
        Slot: int
        Offset: int64
        Shape: int[]
        Strides: int[]
        DType: DType
    }

    member view.Place = Place(view.Slot, view.Offset)
    member view.Operand = Operand(view.Place, view.Strides)

    member view.Signature: Signature = { Shape = view.Shape; DType = view.DType }

    member view.IsRowMajor = Shape.isRowMajor view.Shape view.Strides

/// Layout arithmetic on views.
module internal View =

    let rowMajor slot (signature: Signature) =
        {
            Slot = slot
            Offset = 0L
            Shape = signature.Shape
            Strides = Shape.rowMajor signature.Shape
            DType = signature.DType
        }

    /// The bytes of the elements in memory: axes that repeat an element count once.
    let bytes (view: View) : int64 =
        let mutable elements = 1L

        for axis in 0 .. view.Shape.Length - 1 do
            if view.Strides[axis] <> 0 || view.Shape[axis] = 0 then
                elements <- elements * int64 view.Shape[axis]

        elements * int64 (Signature.BytesOf view.DType)

    /// Operand axis i becomes axis dims[i] of the shape; an axis of length 1 is repeated, as is every new one.
    let broadcast (shape: int[]) (dims: int[]) (view: View) =
        let strides = Array.zeroCreate shape.Length

        for i in 0 .. dims.Length - 1 do
            strides[dims[i]] <- if view.Shape[i] = shape[dims[i]] then view.Strides[i] else 0

        { view with Shape = shape; Strides = strides }

    let permute (order: int[]) (view: View) =
        { view with
            Shape = order |> Array.map (fun axis -> view.Shape[axis])
            Strides = order |> Array.map (fun axis -> view.Strides[axis])
        }

    /// Elements start, start + step, … along each axis; steps may be negative.
    let slice (start: int[]) (shape: int[]) (steps: int[]) (view: View) =
        let mutable offset = view.Offset

        // An empty slice keeps the offset: at the end of a reversed array it would begin before the memory.
        if not (Array.contains 0 shape) then
            for axis in 0 .. start.Length - 1 do
                offset <- offset + int64 start[axis] * int64 view.Strides[axis]

        { view with
            Offset = offset
            Shape = shape
            Strides = Array.map2 (*) view.Strides steps
        }

    /// Another shape with the elements in the same row-major order, if the strides allow it.
    let reshape (shape: int[]) (view: View) =
        let axes =
            [|
                for axis in 0 .. view.Shape.Length - 1 do
                    if view.Shape[axis] <> 1 then axis
            |]

        let strides = Array.zeroCreate shape.Length
        let mutable source = axes.Length - 1
        // The rest of a run of source axes that are consecutive in memory, and the stride within it.
        let mutable left = 1
        let mutable stride = 1
        let mutable possible = true

        let takeRun () =
            let axis = axes[source]
            left <- view.Shape[axis]
            stride <- view.Strides[axis]
            source <- source - 1

            while source >= 0 && view.Strides[axes[source]] = stride * left do
                left <- left * view.Shape[axes[source]]
                source <- source - 1

        if Shape.size shape = 0 then
            ValueSome { view with Shape = shape; Strides = Shape.rowMajor shape }
        else
            for axis in shape.Length - 1 .. -1 .. 0 do
                if shape[axis] <> 1 && possible then
                    if left = 1 then takeRun ()

                    if left % shape[axis] <> 0 then
                        possible <- false
                    else
                        strides[axis] <- stride
                        stride <- stride * shape[axis]
                        left <- left / shape[axis]

            if possible then
                ValueSome { view with Shape = shape; Strides = strides }
            else
                ValueNone
