namespace Curvature

open System.Collections.Generic

/// A program of slow and fast inputs, cut in two: what depends on slow inputs alone, and the rest.
[<NoEquality; NoComparison>]
type internal Partition =
    {
        /// From the slow inputs to the slow outputs, followed by the residuals that the fast program reads.
        Slow: Program
        SlowOutputs: int
        /// From the residuals (the slow inputs first, then what the slow program computes), followed by the fast
        /// inputs, to the fast outputs.
        Fast: Program
    }

module internal Partition =

    let private isReinterpretation (equation: Equation) =
        match equation.Primitive.Evaluation with
        | Reinterpret _ -> true
        | _ -> false

    /// Cuts a program whose first inputs are slow. Outputs that depend on slow inputs alone become slow outputs; they
    /// must come before the others.
    let cut (slowInputs: int) (slowOutputs: int) (program: Program) : Partition =
        let fast = Array.init program.Variables.Length (fun id -> id >= slowInputs && id < program.Inputs)
        let definitions = Dictionary<int, Equation>()

        let isFast atom =
            match atom with
            | Variable id -> fast[id]
            | Constant _ -> false

        for equation in program.Equations do
            let moves = equation.Operands |> Array.exists isFast

            for id in equation.Results do
                fast[id] <- moves
                definitions[id] <- equation

        // Numbers of the fast program's variables: residuals, fast inputs, then the rest. Views of residuals cost nothing, so
        // they are made again on the fast side instead of being kept as copies.
        let residuals = List<int>(seq { 0 .. slowInputs - 1 })
        let residualSet = HashSet<int>(residuals)
        let fastEquations = List<Equation>()
        let copied = HashSet<Equation>(HashIdentity.Reference)

        // What has to come before an equation of the fast side, the next on top. Views of views may be nested deeply.
        // An equation is seen twice: its operands are asked for at first, and it is added once they are there.
        let waiting = Stack<struct (Atom * Equation voption)>()

        let ask atom =
            match atom with
            | Variable id when not fast[id] && not (residualSet.Contains id) ->
                match definitions.TryGetValue id with
                | true, equation when isReinterpretation equation ->
                    if copied.Add equation then
                        waiting.Push(struct (atom, ValueSome equation))

                        for i in equation.Operands.Length - 1 .. -1 .. 0 do
                            waiting.Push(struct (equation.Operands[i], ValueNone))
                | _ ->
                    residualSet.Add id |> ignore
                    residuals.Add id
            | _ -> ()

        let need atom =
            waiting.Push(struct (atom, ValueNone))

            while waiting.Count > 0 do
                match waiting.Pop() with
                | struct (_, ValueSome equation) -> fastEquations.Add equation
                | struct (atom, ValueNone) -> ask atom

        for equation in program.Equations do
            if fast[equation.Results[0]] then
                equation.Operands |> Array.iter need
                fastEquations.Add equation

        let fastOutputs = program.Outputs[slowOutputs..]
        fastOutputs |> Array.iter need
        let numbers = Dictionary<int, int>()
        let variables = List<Signature>()

        let number id =
            numbers[id] <- variables.Count
            variables.Add program.Variables[id]

        residuals |> Seq.iter number
        seq { slowInputs .. program.Inputs - 1 } |> Seq.iter number

        for equation in fastEquations do
            equation.Results |> Array.iter number

        let rename atom =
            match atom with
            | Variable id -> Variable numbers[id]
            | Constant _ -> atom

        let slow =
            { program with
                Inputs = slowInputs
                Equations = program.Equations |> Array.filter (fun equation -> not fast[equation.Results[0]])
                Outputs =
                    Array.append
                        program.Outputs[.. slowOutputs - 1]
                        [| for id in Seq.skip slowInputs residuals -> Variable id |]
            }

        {
            Slow = slow.WithoutUnused()
            SlowOutputs = slowOutputs
            Fast =
                { program with
                    Inputs = residuals.Count + program.Inputs - slowInputs
                    Variables = variables.ToArray()
                    Equations =
                        [|
                            for equation in fastEquations ->
                                { equation with
                                    Operands = equation.Operands |> Array.map rename
                                    Results = equation.Results |> Array.map (fun id -> numbers[id])
                                }
                        |]
                    Outputs = fastOutputs |> Array.map rename
                }
        }
