namespace Curvature

open Curvature.FSharp

/// The index sets of a function's derivative: for each element of the result, the elements of the point by which its
/// derivative may differ from 0.
[<NoEquality; NoComparison>]
type internal FoundPattern =
    {
        Sets: IndexSets
        /// The set of each element of the result.
        Numbers: int[]
        /// How many elements the point has.
        Columns: int
        /// Whether the pattern is that of every point, and not of the one where it was found.
        IsFixed: bool
    }

    /// How many entries there are.
    member pattern.Entries: int64 = pattern.Numbers |> Array.sumBy (fun set -> int64 (pattern.Sets.Size set))

/// Index sets are propagated through linear programs, equation by equation.
module internal PatternWalk =

    /// What the output of a program depends on, by the elements of an input in which the program is linear.
    let private walk (program: Program) (input: int) (isFixed: bool) : FoundPattern =
        let columns = Shape.size program.Variables[input].Shape
        let sets = IndexSets columns
        let elements = ElementSets(sets, program.Device)
        let support = Support(program, isFixed)
        let rules = PatternRules(program, elements, support)
        let found: Tensor voption[] = Array.create program.Variables.Length ValueNone
        found[input] <- ValueSome(elements.Inputs program.Variables[input].Shape)

        let operand atom =
            match atom with
            | Variable id -> { Atom = atom; Sets = found[id] }
            | Constant _ -> { Atom = atom; Sets = ValueNone }

        for equation in program.Equations do
            let operands = equation.Operands |> Array.map operand

            if operands |> Array.exists _.Sets.IsSome then
                rules.Apply(equation, operands)
                |> Array.iter2 (fun id sets -> found[id] <- ValueSome sets) equation.Results
            else
                support.Follow equation

        let output = program.Outputs[0]

        let numbers =
            match (operand output).Sets with
            | ValueSome sets -> sets.ToInt32Array()
            | ValueNone -> Array.zeroCreate (Shape.size (program.Signature output).Shape)

        { Sets = sets; Numbers = numbers; Columns = columns; IsFixed = isFixed }

    /// The pattern of the last of several values of a function. A function that asks for values of tensors is
    /// recorded at the point.
    let ofFunction (f: Tensor -> Tensor[]) (x: Tensor) : FoundPattern =
        let last (outputs: 'T[]) = [| outputs[outputs.Length - 1] |]

        let recorded =
            try
                Staging.stage x.Device [| x.Signature; x.Signature |] (fun inputs ->
                    let _, program = Reverse.linearize (fun xs -> f xs[0]) [| inputs[0] |]
                    program.Interpret [| inputs[1] |] |> last)
                |> ValueSome
            with :? AbstractValueException ->
                ValueNone

        match recorded with
        | ValueSome program -> walk program 1 true
        | ValueNone ->
            let _, program = Reverse.linearize (fun xs -> f xs[0]) [| x |]
            walk ({ program with Outputs = last program.Outputs }.WithoutUnused()) 0 false
