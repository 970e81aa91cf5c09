namespace Curvature

/// Reverse mode: linearize a function, then transpose the linear program.
module internal Reverse =

    /// The values of f at the points, and the program that maps tangents of the points to tangents of the values. What
    /// does not depend on tangents is computed at once, so that branches and loops may depend on values.
    let linearize (f: Tensor[] -> Tensor[]) (points: Tensor[]) : Tensor[] * Program =
        let depth = Interpreter.CurrentDepth
        let stage = StageInterpreter(depth + 1, points[0].Device, true)
        let forward = JvpInterpreter(depth + 2)
        let tangents = points |> Array.map (fun x -> stage.Fresh x.Signature)

        let results =
            stage.Run(fun () ->
                forward.Run(fun () -> f (Array.map2 (fun x dx -> Tensor(JvpTracer(forward, x, dx))) points tangents)))

        let parts = results |> Array.map forward.Split
        let values = parts |> Array.map (fun struct (value, _) -> value)
        let derivatives = parts |> Array.map (fun struct (value, tangent) -> Tangent.orZeros value tangent)
        values, stage.Finish(points.Length, derivatives)

    /// Pulls cotangents of a linear program's outputs back to its inputs.
    let transpose (program: Program) (cotangents: Tensor voption[]) : Tensor voption[] =
        let adjoints: Tensor voption[] = Array.create program.Variables.Length ValueNone
        let receive id cotangent = adjoints[id] <- Tangent.add adjoints[id] cotangent

        Array.iter2
            (fun output cotangent ->
                match output with
                | Variable id -> receive id cotangent
                | Constant _ -> ())
            program.Outputs
            cotangents

        for i in program.Equations.Length - 1 .. -1 .. 0 do
            let equation = program.Equations[i]
            let results = equation.Results |> Array.map (fun id -> adjoints[id])

            if results |> Array.exists _.IsSome then
                let operands =
                    equation.Operands
                    |> Array.map (fun atom ->
                        match atom with
                        | Variable id -> Unknown program.Variables[id]
                        | Constant tensor -> Known tensor)

                let pulled = equation.Primitive.Transpose(results, operands)

                for k in 0 .. pulled.Length - 1 do
                    match equation.Operands[k] with
                    | Variable id -> receive id pulled[k]
                    | Constant _ -> ()

            for id in equation.Results do
                if id >= program.Inputs then adjoints[id] <- ValueNone

        adjoints[.. program.Inputs - 1]

    /// The values of f at the points, and the map from cotangents of the values to cotangents of the points.
    let vjp (f: Tensor[] -> Tensor[]) (points: Tensor[]) : Tensor[] * (Tensor[] -> Tensor[]) =
        let values, program = linearize f points

        values,
        fun cotangents -> transpose program (cotangents |> Array.map ValueSome) |> Array.map2 Tangent.orZeros points

    /// The cotangents that one application of a primitive sends to those of its operands that are wanted.
    let pullback
        (primitive: Primitive)
        (primals: Tensor[])
        (results: Tensor[])
        (cotangents: Tensor voption[])
        (wanted: bool[])
        =
        let stage = StageInterpreter(Interpreter.CurrentDepth + 1, primals[0].Device, true)

        let tangents =
            Array.map2
                (fun (primal: Tensor) isWanted ->
                    if isWanted then ValueSome(stage.Fresh primal.Signature) else ValueNone)
                primals
                wanted

        let inputs = wanted |> Array.filter id |> Array.length
        let derivatives = stage.Run(fun () -> primitive.Jvp(primals, results, tangents))
        // Only results that have both a derivative and a cotangent send anything back.
        let paired =
            Array.zip derivatives cotangents
            |> Array.choose (fun (derivative, cotangent) ->
                match derivative, cotangent with
                | ValueSome derivative, ValueSome cotangent -> Some(derivative, cotangent)
                | _ -> None)

        let program = stage.Finish(inputs, paired |> Array.map fst)
        let pulled = transpose program (paired |> Array.map (snd >> ValueSome))
        let mutable next = 0

        wanted
        |> Array.map (fun isWanted ->
            if isWanted then
                next <- next + 1
                pulled[next - 1]
            else
                ValueNone)
