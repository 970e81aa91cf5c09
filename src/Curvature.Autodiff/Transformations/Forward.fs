namespace Curvature

/// A tensor together with its derivative along a direction.
[<Sealed>]
type internal JvpTracer(owner: Interpreter, primal: Tensor, tangent: Tensor) =
    inherit Content(primal.Signature)
    member _.Primal = primal
    member _.Tangent = tangent
    override _.Owner = owner
    override _.Device = primal.Device
    override _.Storage = primal.Storage
    override _.Describe() = $"tensor with a tangent: {primal}"

/// Forward mode: every primitive also pushes tangents forward. Values without a tangent cost nothing extra.
[<Sealed>]
type internal JvpInterpreter(depth: int) =
    inherit Interpreter(depth)

    /// The primal and, where there is one, the tangent.
    member this.Split(t: Tensor) : struct (Tensor * Tensor voption) =
        match t.Content with
        | :? JvpTracer as tracer when obj.ReferenceEquals(tracer.Owner, this) -> tracer.Primal, ValueSome tracer.Tangent
        | _ -> t, ValueNone

    override this.Process(primitive, operands) =
        let parts = operands |> Array.map this.Split
        let primals = parts |> Array.map (fun struct (primal, _) -> primal)
        let tangents = parts |> Array.map (fun struct (_, tangent) -> tangent)
        let results = Interpreter.Bind(primitive, primals)

        Array.map2
            (fun result tangent ->
                match tangent with
                | ValueSome tangent -> Tensor(JvpTracer(this, result, tangent))
                | ValueNone -> result)
            results
            (primitive.Jvp(primals, results, tangents))

module internal Forward =

    /// The values of f at the points, and their derivatives along the tangents; zero derivatives are missing.
    let jvp (f: Tensor[] -> Tensor[]) (points: Tensor[]) (tangents: Tensor[]) =
        let interpreter = JvpInterpreter(Interpreter.CurrentDepth + 1)

        let results =
            interpreter.Run(fun () ->
                f (Array.map2 (fun x dx -> Tensor(JvpTracer(interpreter, x, dx))) points tangents))

        let parts = results |> Array.map interpreter.Split
        parts |> Array.map (fun struct (value, _) -> value), parts |> Array.map (fun struct (_, tangent) -> tangent)
