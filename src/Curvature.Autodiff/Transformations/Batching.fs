namespace Curvature

/// One tensor of a stack, of which the whole stack is kept.
[<Sealed>]
type internal BatchTracer(owner: Interpreter, stack: Tensor) =
    inherit Tracer({ stack.Signature with Shape = Array.tail stack.Signature.Shape })
    member _.Stack = stack
    override _.Owner = owner
    override _.Device = stack.Device
    override _.MayBeRemembered = stack.Content.MayBeRemembered

    override _.Storage =
        raise (
            AbstractValueException
                "inside vmap a tensor stands for a whole stack, so its values cannot be read one by one"
        )

    override this.Describe() = Printing.showAbstract "batched" this.Signature.DType this.Signature.Shape

/// Batching: every primitive runs once on a whole stack.
[<Sealed>]
type internal BatchInterpreter(depth: int, size: int) =
    inherit Interpreter(depth)

    /// The stack that a tensor stands for, where it belongs to this transformation.
    member this.TryStack(t: Tensor) : Tensor voption =
        match t.Content with
        | :? BatchTracer as tracer when obj.ReferenceEquals(tracer.Owner, this) -> ValueSome tracer.Stack
        | _ -> ValueNone

    override this.Process(primitive, operands) =
        let stacks = operands |> Array.map this.TryStack
        let stacksOrConstants = Array.map2 ValueOption.defaultValue operands stacks

        primitive.Batch(size, stacksOrConstants, stacks |> Array.map _.IsSome)
        |> Array.map (fun stack -> Tensor(BatchTracer(this, stack)))

module internal Batching =

    /// f applied to every slice along the leading axes of the stacks; results are stacked likewise.
    let vmap (f: Tensor[] -> Tensor[]) (stacks: Tensor[]) =
        let leading (t: Tensor) =
            match t.Signature.Shape with
            | [||] -> Fail.shape "vmap: a scalar has no leading axis to map over"
            | shape -> shape[0]

        let size = leading stacks[0]

        for stack in stacks do
            if leading stack <> size then
                Fail.shape $"vmap: the leading axes have different lengths, {size} and {leading stack}"

        let interpreter = BatchInterpreter(Interpreter.CurrentDepth + 1, size)

        let results =
            interpreter.Run(fun () -> f (stacks |> Array.map (fun stack -> Tensor(BatchTracer(interpreter, stack)))))

        results
        |> Array.map (fun result ->
            interpreter.TryStack result
            |> ValueOption.defaultWith (fun () -> (Batched.align size [| result |] [| false |])[0]))
