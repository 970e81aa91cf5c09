namespace Curvature

/// A tensor together with its Taylor coefficients along a curve.
[<Sealed>]
type internal JetTracer(owner: Interpreter, primal: Tensor, coefficients: Coefficients) =
    inherit Tracer(primal.Signature)
    member _.Primal = primal
    member _.Coefficients = coefficients
    override _.Owner = owner
    override _.Device = primal.Device
    override _.Storage = primal.Storage
    override _.Describe() = $"tensor with {coefficients.Length} Taylor coefficients: {primal}"

/// Taylor mode: every primitive also pushes the Taylor coefficients of its operands forward, up to an order (Griewank &
/// Walther 2008, chapter 13; Bettencourt, Johnson & Duvenaud 2019). Values without coefficients cost nothing extra.
[<Sealed>]
type internal JetInterpreter(depth: int, order: int) =
    inherit Interpreter(depth)

    let none: Coefficients = Array.create order ValueNone

    /// A value with its coefficients; the value alone where all are zero.
    member this.Join(primal: Tensor, coefficients: Coefficients) : Tensor =
        if coefficients |> Array.exists _.IsSome then
            Tensor(JetTracer(this, primal, coefficients))
        else
            primal

    member this.Split(t: Tensor) : struct (Tensor * Coefficients) =
        match t.Content with
        | :? JetTracer as tracer when obj.ReferenceEquals(tracer.Owner, this) -> tracer.Primal, tracer.Coefficients
        | _ -> t, none

    override this.Process(primitive, operands) =
        let parts = operands |> Array.map this.Split
        let primals = parts |> Array.map (fun struct (primal, _) -> primal)
        let coefficients = parts |> Array.map (fun struct (_, coefficients) -> coefficients)
        let results = Interpreter.Bind(primitive, primals)
        let series = Taylor.series primitive primals results coefficients
        Array.map2 (fun result own -> this.Join(result, own)) results series

module internal Jets =

    /// The values of f along curves of points, and the coefficients of the values, up to an order of 1 or more.
    let along order (f: Tensor[] -> Tensor[]) (points: Tensor[]) (coefficients: Coefficients[]) =
        let interpreter = JetInterpreter(Interpreter.CurrentDepth + 1, order)
        let trace x own = interpreter.Join(x, own)
        let results = interpreter.Run(fun () -> f (Array.map2 trace points coefficients))
        let parts = results |> Array.map interpreter.Split
        parts |> Array.map (fun struct (value, _) -> value), parts |> Array.map (fun struct (_, own) -> own)

    /// The coefficients of x′(t), with that of order 0, from those of x(t).
    let private derivative (coefficients: Coefficients) : Tensor voption[] =
        coefficients |> Array.mapi (fun k c -> c |> Tangent.map (fun c -> if k = 0 then c else c * float (k + 1)))

    /// The coefficients of the results of a primitive from its derivative alone: y′(t) = Dφ(x(t))[x′(t)], whose
    /// coefficient k − 1 is k·y_k and needs no coefficient of y above k − 1.
    let byDerivative (primitive: Primitive) (primals: Tensor[]) (results: Tensor[]) (coefficients: Coefficients[]) =
        let slopes = coefficients |> Array.map derivative
        let found = results |> Array.map (fun _ -> Array.create (Taylor.order coefficients) ValueNone)

        let moving =
            [|
                for i in 0 .. primals.Length - 1 do
                    if coefficients[i] |> Array.exists _.IsSome then i
            |]

        /// Coefficient k − 1 of the derivatives of the results.
        let slope k =
            let tangentsOf (tangents: Tensor[]) =
                let all = Array.create primals.Length ValueNone
                moving |> Array.iteri (fun at i -> all[i] <- ValueSome tangents[at])
                all

            let jvp (points: Tensor[]) =
                let x, y = points[.. primals.Length - 1], points[primals.Length .. primals.Length + results.Length - 1]
                let tangents = tangentsOf points[primals.Length + results.Length ..]
                primitive.Jvp(x, y, tangents) |> Array.map2 Tangent.orZeros y

            let first (k: int) (own: Coefficients) : Coefficients = Array.truncate k own
            let starts = moving |> Array.map (fun i -> Tangent.orZeros primals[i] (slopes[i][0]))
            let points = Array.concat [ primals; results; starts ]

            if k = 1 then
                jvp points |> Array.map ValueSome
            else
                let series =
                    Array.concat
                        [
                            coefficients |> Array.map (first (k - 1))
                            found |> Array.map (first (k - 1))
                            moving |> Array.map (fun i -> slopes[i][1 .. k - 1])
                        ]

                snd (along (k - 1) jvp points series) |> Array.map Array.last

        for k in 1 .. Taylor.order coefficients do
            let below = slope k

            for r in 0 .. results.Length - 1 do
                if results[r].DType <> Curvature.DType.Int32 then
                    found[r][k - 1] <- below[r] |> Tangent.map (fun t -> if k = 1 then t else t * (1.0 / float k))

        found
