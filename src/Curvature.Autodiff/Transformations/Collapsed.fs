namespace Curvature

/// A tensor with its Taylor coefficients along a stack of curves: those below the last for each curve, [curves; …], and
/// of the last one the weighted sum over all curves.
[<Sealed>]
type internal CollapsedTracer(owner: Interpreter, primal: Tensor, lower: Coefficients, last: Tensor voption) =
    inherit Tracer(primal.Signature)
    member _.Primal = primal
    member _.Lower = lower
    member _.Last = last
    override _.Owner = owner
    override _.Device = primal.Device
    override _.Storage = primal.Storage
    override _.Describe() = $"tensor with a sum of Taylor coefficients: {primal}"

/// The curves of a collapsed sum: their order and number, and the sum over a stack of one tensor each.
[<NoEquality; NoComparison>]
type internal Curves = { Order: int; Count: int; Sum: Tensor -> Tensor }

module internal CollapsedRule =

    /// The coefficients of the results along each curve, as stacks, where those that the operands lack are 0.
    let private alongCurves
        (curves: Curves)
        (primitive: Primitive)
        primals
        results
        (coefficients: Coefficients[])
        : Coefficients[] =
        let batch = BatchInterpreter(Interpreter.CurrentDepth + 1, curves.Count)
        let oneCurve (stack: Tensor) = Tensor(BatchTracer(batch, stack))

        let stackOf (t: Tensor) =
            batch.TryStack t |> ValueOption.defaultWith (fun () -> (Batched.align curves.Count [| t |] [| false |])[0])

        let each = coefficients |> Array.map (Array.map (Tangent.map oneCurve))

        batch.Run(fun () -> Taylor.series primitive primals results each)
        |> Array.map (Array.map (Tangent.map stackOf))

    /// The coefficients of the results below the last, and the part of the sum of the last ones that comes from these.
    let series
        (curves: Curves)
        (primitive: Primitive)
        primals
        (results: Tensor[])
        (lower: Coefficients[])
        : struct (Coefficients * Tensor voption)[] =
        match primitive with
        | :? Elementwise as elementwise when curves.Order = 2 ->
            // Products of tangents are summed before the tangents of the result take memory.
            let tangents = lower |> Array.map Array.head
            let last = elementwise.HalfOfSecond(primals, results, tangents, fun t u -> curves.Sum(t * u))
            [| struct ((alongCurves curves primitive primals results lower)[0], last) |]
        | _ ->
            let withoutLast = lower |> Array.map (fun own -> Array.append own [| ValueNone |])

            alongCurves curves primitive primals results withoutLast
            |> Array.map (fun own -> struct (own[.. curves.Order - 2], own[curves.Order - 1] |> Tangent.map curves.Sum))

/// Taylor mode along many curves where only the sum of the last coefficients is wanted. The last coefficient of a
/// result depends linearly on those of the operands, y_K = Dφ[x_K] + (terms in lower ones), so that x_K is summed over
/// the curves at once and travels as a single tensor (Dangel et al. 2025, "Collapsing Taylor mode automatic
/// differentiation"; of order 2, the forward Laplacian of Li et al. 2024). R curves of order K cost (K − 1)R + 1
/// coefficients in the place of KR.
[<Sealed>]
type internal CollapsedInterpreter(depth: int, order: int, count: int, weights: Tensor voption) =
    inherit Interpreter(depth)

    let none: Coefficients = Array.create (order - 1) ValueNone

    /// The weighted sum over the curves of a stack.
    let sum (stack: Tensor) : Tensor =
        match weights with
        | ValueNone -> stack.SumOver [| 0 |]
        | ValueSome weights ->
            let labels = [| 0 .. stack.Rank - 1 |]

            let weights =
                if weights.DType = stack.DType then
                    weights
                else
                    Tensor.Of(Structure.Convert stack.DType, weights)

            Tensor.Of(Einsum([| 0 |], labels, labels[1..]), weights, stack)

    let curves = { Order = order; Count = count; Sum = sum }

    member this.Join(primal: Tensor, lower: Coefficients, last: Tensor voption) : Tensor =
        if last.IsSome || lower |> Array.exists _.IsSome then
            Tensor(CollapsedTracer(this, primal, lower, last))
        else
            primal

    member this.Split(t: Tensor) : struct (Tensor * Coefficients * Tensor voption) =
        match t.Content with
        | :? CollapsedTracer as tracer when obj.ReferenceEquals(tracer.Owner, this) ->
            tracer.Primal, tracer.Lower, tracer.Last
        | _ -> t, none, ValueNone

    override this.Process(primitive, operands) =
        let parts = operands |> Array.map this.Split
        let primals = parts |> Array.map (fun struct (primal, _, _) -> primal)
        let lower = parts |> Array.map (fun struct (_, lower, _) -> lower)
        let last = parts |> Array.map (fun struct (_, _, last) -> last)
        let results = Interpreter.Bind(primitive, primals)

        let along =
            if lower |> Array.exists (Array.exists _.IsSome) then
                CollapsedRule.series curves primitive primals results lower
            else
                results |> Array.map (fun _ -> struct (none, ValueNone))

        let linear =
            if last |> Array.exists _.IsSome then
                primitive.Jvp(primals, results, last)
            else
                results |> Array.map (fun _ -> ValueNone)

        Array.map3
            (fun result (struct (lower, source)) linear -> this.Join(result, lower, Tangent.add linear source))
            results
            along
            linear

    /// The value of f at x, and Σ w_r·D^K f(x)[v_r, …, v_r] over the directions v_r, stacked along a leading axis.
    member this.Sum (f: Tensor -> Tensor) (x: Tensor) (directions: Tensor) : Tensor * Tensor =
        let lower = Array.copy none
        if order > 1 then lower[0] <- ValueSome directions
        let last = if order > 1 then ValueNone else ValueSome(sum directions)
        let struct (value, _, last) = this.Split(this.Run(fun () -> f (this.Join(x, lower, last))))
        let factorial = Seq.fold (fun product k -> product * float k) 1.0 (seq { 2..order })
        value, Tangent.orZeros value last |> (fun sum -> if order < 2 then sum else sum * factorial)

module internal Collapsed =

    /// The value of f at x, and Σ w_r·D^K f(x)[v_r, …, v_r] for an order K of 1 or more; without weights, all are 1.
    let sum order (weights: Tensor voption) (f: Tensor -> Tensor) (x: Tensor) (directions: Tensor) : Tensor * Tensor =
        let curves = directions.Signature.Shape[0]
        CollapsedInterpreter(Interpreter.CurrentDepth + 1, order, curves, weights).Sum f x directions
