namespace Curvature

open System.Collections.Concurrent
open System.Threading

/// A tensor together with its derivative along a direction.
[<Sealed>]
type internal JvpTracer(owner: Interpreter, primal: Tensor, tangent: Tensor) =
    inherit Tracer(primal.Signature)
    let mayBeRemembered = primal.Content.MayBeRemembered && tangent.Content.MayBeRemembered
    member _.Primal = primal
    member _.Tangent = tangent
    override _.Owner = owner
    override _.Device = primal.Device
    override _.Storage = primal.Storage
    override _.MayBeRemembered = mayBeRemembered
    override _.Describe() = $"tensor with a tangent: {primal}"

/// Forward mode: every primitive also pushes tangents forward. Values without a tangent cost nothing extra.
///
/// Inside another transformation, the results of an operation are kept, and equal operations are done once. Derivatives
/// of derivatives repeat operations: the n-th derivative of tanh has 3ⁿ of them, and fewer than n³ differ.
[<Sealed>]
type internal JvpInterpreter(depth: int) =
    inherit Interpreter(depth)

    /// At most so many operations are remembered; then all are forgotten.
    static let most = 1 <<< 16

    let remembered = lazy (ConcurrentDictionary<Application<obj>, Tensor[]>())
    let mutable count = 0

    let recall primitive (operands: Tensor[]) (compute: unit -> Tensor[]) =
        let application = { Primitive = primitive; Operands = operands |> Array.map _.Content.Identity }

        match remembered.Value.TryGetValue application with
        | true, results -> results
        | _ ->
            let results = compute ()
            if Interlocked.Increment &count % most = 0 then remembered.Value.Clear()
            remembered.Value[application] <- results
            results

    /// The primal and, where there is one, the tangent.
    member this.Split(t: Tensor) : struct (Tensor * Tensor voption) =
        match t.Content with
        | :? JvpTracer as tracer when obj.ReferenceEquals(tracer.Owner, this) -> tracer.Primal, ValueSome tracer.Tangent
        | _ -> t, ValueNone

    override this.Process(primitive, operands) =
        let parts = operands |> Array.map this.Split
        let primals = parts |> Array.map (fun struct (primal, _) -> primal)
        let tangents = parts |> Array.map (fun struct (_, tangent) -> tangent)

        let compute () =
            let results = Interpreter.Bind(primitive, primals)

            Array.map2
                (fun result tangent ->
                    match tangent with
                    | ValueSome tangent -> Tensor(JvpTracer(this, result, tangent))
                    | ValueNone -> result)
                results
                (primitive.Jvp(primals, results, tangents))

        let isNested = primals |> Array.exists (fun primal -> not (isNull primal.Owner))

        if isNested && operands |> Array.forall _.Content.MayBeRemembered then
            recall primitive operands compute
        else
            compute ()

module internal Forward =

    /// The values of f at the points, and their derivatives along the tangents; zero derivatives are missing.
    let jvp (f: Tensor[] -> Tensor[]) (points: Tensor[]) (tangents: Tensor[]) =
        let interpreter = JvpInterpreter(Interpreter.CurrentDepth + 1)

        let results =
            interpreter.Run(fun () ->
                f (Array.map2 (fun x dx -> Tensor(JvpTracer(interpreter, x, dx))) points tangents))

        let parts = results |> Array.map interpreter.Split
        parts |> Array.map (fun struct (value, _) -> value), parts |> Array.map (fun struct (_, tangent) -> tangent)
