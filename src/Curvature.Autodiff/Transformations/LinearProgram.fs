namespace Curvature

open System.Diagnostics

/// A linear map between tensors, written down as a program: the derivative of a function at a point. It can be applied
/// any number of times, transposed, batched and printed. Made by `linearize`.
[<Sealed; DebuggerDisplay("{Text,nq}"); StructuredFormatDisplay("{Text}")>]
type LinearProgram internal (program: Program) =
    member internal _.Program = program

    /// The shape of the tensors that it takes.
    member _.InputShape = Array.copy program.Variables[0].Shape

    /// The shape of the tensors that it gives.
    member _.OutputShape = Array.copy (program.Signature program.Outputs[0]).Shape

    /// The image of a tensor: one run of the program. Raises ShapeException for a tensor of another shape or element
    /// type.
    member _.Apply(v: Tensor) : Tensor =
        System.ArgumentNullException.ThrowIfNull(v, nameof v)

        if v.Signature <> program.Variables[0] then
            Fail.shape ($"the linear program takes {program.Variables[0].Text}, and got {v.Signature.Text}")

        program.Interpret([| v |])[0]

    /// The adjoint map.
    member _.Transpose() : LinearProgram =
        let output = program.Signature program.Outputs[0]

        Staging.stage program.Device [| output |] (fun cotangents ->
            let pulled = Reverse.transpose program [| ValueSome cotangents[0] |]
            let zeros () = Tensor.OfStorage(Storage.Full(program.Device, program.Variables[0], 0.0))
            [| pulled[0] |> ValueOption.defaultWith zeros |])
        |> LinearProgram

    /// The same map on stacks of k tensors. Raises ArgumentRangeException for k below 1.
    member _.Batch(k: int) : LinearProgram =
        if k < 1 then Fail.range $"batch: at least one tensor is needed, and k is {k}"

        let input = program.Variables[0]

        Staging.stage
            program.Device
            [| { input with Shape = Array.append [| k |] input.Shape } |]
            (Batching.vmap program.Interpret)
        |> LinearProgram

    override _.ToString() = program.ToString()

    member internal this.Text = this.ToString()
