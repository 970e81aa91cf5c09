namespace Curvature

open System

/// A value that is watched for NaN and infinity.
[<Sealed>]
type internal FiniteTracer(owner: Interpreter, value: Tensor) =
    inherit Tracer(value.Signature)
    member _.Value = value
    override _.Owner = owner
    override _.Device = value.Device
    override _.Storage = value.Storage
    override _.Describe() = value.ToString()

/// A search for NaN and infinity.
module internal Finite =

    /// The words for NaN and infinities.
    let name (value: float) =
        if Double.IsNaN value then "NaN"
        elif value > 0.0 then "infinity"
        else "-infinity"

    /// The position and value of the first element that is not finite; nothing for values that are being traced.
    let tryFind (t: Tensor) : struct (int * float) voption =
        if not (isNull t.Owner) || t.DType = DType.Int32 || t.Size = 0 then
            ValueNone
        elif Double.IsFinite((t.SumAll()).ToScalar()) then
            ValueNone
        else
            // The sum of finite numbers may overflow, so the elements decide.
            let values = t.ToArray()

            match values |> Array.tryFindIndex (Double.IsFinite >> not) with
            | Some i -> ValueSome(struct (i, values[i]))
            | None -> ValueNone

    /// Whether every element is finite.
    let all (t: Tensor) = (tryFind t).IsNone

    /// Where a tensor is not finite, in words; nothing where it is finite.
    let describe (t: Tensor) : string voption =
        match tryFind t with
        | ValueNone -> ValueNone
        | ValueSome(struct (i, value)) when t.Rank = 0 && i = 0 -> ValueSome(name value)
        | ValueSome(struct (i, value)) -> ValueSome $"{name value} at element {i} of {t.ShapeText}"

    /// Raises NonFiniteException, naming the tensor, where one of its elements is not finite.
    let check (what: string) (t: Tensor) =
        match describe t with
        | ValueSome where -> Fail.nonFinite $"{what} is {where}"
        | ValueNone -> ()

    /// Runs primitives, and keeps in words where the first value that is not finite came from.
    [<Sealed>]
    type private FiniteInterpreter(depth: int) =
        inherit Interpreter(depth)
        member val Found: string voption = ValueNone with get, set

        member this.Split(t: Tensor) =
            match t.Content with
            | :? FiniteTracer as tracer when obj.ReferenceEquals(tracer.Owner, this) -> struct (tracer.Value, true)
            | _ -> struct (t, false)

        member private this.Examine(primitive: Primitive, operands: struct (Tensor * bool)[], results: Tensor[]) =
            let constant =
                operands
                |> Array.tryPick (fun struct (t, isWatched) ->
                    match isWatched, describe t with
                    | false, ValueSome where -> Some $"a constant used by {primitive.Name} is {where}"
                    | _ -> None)

            let result =
                results
                |> Array.tryPick (fun t ->
                    match describe t with
                    | ValueSome where -> Some $"the result of {primitive.Name} is {where}"
                    | ValueNone -> None)

            match result, constant with
            | Some _, Some found
            | Some found, None -> this.Found <- ValueSome found
            | None, _ -> ()

        member private this.Watch(primitive: Primitive, operands: Tensor[]) =
            let parts = operands |> Array.map this.Split
            let results = Interpreter.Bind(primitive, parts |> Array.map (fun struct (value, _) -> value))

            if this.Found.IsNone then this.Examine(primitive, parts, results)

            results |> Array.map (fun result -> Tensor(FiniteTracer(this, result)))

        override this.Process(primitive, operands) =
            match primitive with
            | :? Recomputation as checkpoint -> checkpoint.Program.Interpret operands
            | _ -> this.Watch(primitive, operands)

    /// Where NaN or infinity first appears while f runs at x, in words.
    let trace (f: Tensor -> Tensor) (x: Tensor) : string =
        match describe x with
        | ValueSome where -> $"the point is {where}"
        | ValueNone ->
            let interpreter = FiniteInterpreter(Interpreter.CurrentDepth + 1)
            interpreter.Run(fun () -> f (Tensor(FiniteTracer(interpreter, x))) |> ignore)

            match interpreter.Found with
            | ValueSome found -> $"first, {found}"
            | ValueNone -> "it appears in a derivative, where every value of the function is finite"
