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

    /// Which variables depend on fast inputs, and the equation of each variable that is not an input.
    let private classify (slowInputs: int) (program: Program) =
        let fast = Array.init program.Variables.Length (fun id -> id >= slowInputs && id < program.Inputs)
        let definitions = Dictionary<int, Equation>()

        let isFast atom =
            match atom with
            | Variable id -> fast[id]
            | Constant _ -> false

        for equation in program.Equations do
            let isFastEquation = equation.Operands |> Array.exists isFast

            for id in equation.Results do
                fast[id] <- isFastEquation
                definitions[id] <- equation

        fast, definitions

    /// The residuals, slow inputs first, and the equations of the fast side. Views of residuals cost nothing, so the
    /// fast side makes them again, and they are not kept as copies. What lies within a segment is computed again for
    /// whatever needs it within the same one, and only what leaves a segment is kept.
    let private collectFast
        slowInputs
        slowOutputs
        (program: Program)
        (fast: bool[])
        (definitions: Dictionary<int, Equation>)
        =
        let residuals = List<int>(seq { 0 .. slowInputs - 1 })
        let residualSet = HashSet<int>(residuals)
        let fastEquations = List<Equation>()
        let copied = HashSet<Equation>(HashIdentity.Reference)

        // A stack of what an equation of the fast side needs, in place of recursion: views of views may be nested
        // deeply. An equation is pushed, then its operands on top of it; it is added when it is popped, after them.
        // With each goes the outermost segment of whoever asked for it, also by way of views.
        let waiting = Stack<struct (Atom * int * Equation voption)>()

        let ask atom (segment: int) =
            match atom with
            | Variable id when not fast[id] && not (residualSet.Contains id) ->
                match definitions.TryGetValue id with
                | true, equation when
                    isReinterpretation equation || (segment <> 0 && equation.Segment.Outermost = segment)
                    ->
                    if copied.Add equation then
                        waiting.Push(struct (atom, segment, ValueSome equation))

                        for i in equation.Operands.Length - 1 .. -1 .. 0 do
                            waiting.Push(struct (equation.Operands[i], segment, ValueNone))
                // What was computed again is there.
                | true, equation when copied.Contains equation -> ()
                | _ ->
                    residualSet.Add id |> ignore
                    residuals.Add id
            | _ -> ()

        let need segment atom =
            waiting.Push(struct (atom, segment, ValueNone))

            while waiting.Count > 0 do
                match waiting.Pop() with
                | struct (_, _, ValueSome equation) -> fastEquations.Add equation
                | struct (atom, segment, ValueNone) -> ask atom segment

        for equation in program.Equations do
            if fast[equation.Results[0]] then
                equation.Operands |> Array.iter (need equation.Segment.Outermost)
                fastEquations.Add equation

        let fastOutputs = program.Outputs[slowOutputs..]
        fastOutputs |> Array.iter (need 0)
        residuals, fastEquations

    /// The program of the fast side, whose variables are numbered: residuals, fast inputs, then the rest.
    let private renumber (program: Program) (inputs: int seq) (equations: List<Equation>) (outputs: Atom[]) : Program =
        let numbers = Dictionary<int, int>()
        let variables = List<Signature>()

        let number id =
            numbers[id] <- variables.Count
            variables.Add program.Variables[id]

        inputs |> Seq.iter number
        let inputs = variables.Count

        // A result of what is computed again may be a residual too, which counts.
        let results =
            equations.ToArray()
            |> Array.map (fun equation ->
                equation.Results
                |> Array.map (fun id ->
                    variables.Add program.Variables[id]
                    numbers.TryAdd(id, variables.Count - 1) |> ignore
                    variables.Count - 1))

        let rename atom =
            match atom with
            | Variable id -> Variable numbers[id]
            | Constant _ -> atom

        let renameAll (equation: Equation) results =
            { equation with
                Operands = equation.Operands |> Array.map rename
                Results = results
            }

        {
            Device = program.Device
            Inputs = inputs
            Variables = variables.ToArray()
            Equations = Array.map2 renameAll (equations.ToArray()) results
            Outputs = outputs |> Array.map rename
        }

    /// Cuts a program whose first inputs are slow. Outputs that depend on slow inputs alone become slow outputs; they
    /// must come before the others.
    let cut (slowInputs: int) (slowOutputs: int) (program: Program) : Partition =
        let fast, definitions = classify slowInputs program
        let residuals, fastEquations = collectFast slowInputs slowOutputs program fast definitions
        let fastInputs = Seq.append residuals (seq { slowInputs .. program.Inputs - 1 })
        let computedResiduals = residuals |> Seq.skip slowInputs |> Seq.map Variable |> Seq.toArray

        let slow =
            { program with
                Inputs = slowInputs
                Equations = program.Equations |> Array.filter (fun equation -> not fast[equation.Results[0]])
                Outputs = Array.append program.Outputs[.. slowOutputs - 1] computedResiduals
            }

        {
            Slow = slow.WithoutUnused()
            SlowOutputs = slowOutputs
            Fast = renumber program fastInputs fastEquations program.Outputs[slowOutputs..]
        }
